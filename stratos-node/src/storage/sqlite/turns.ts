import type { Connection, Prepare } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';

/** How a store runs its own statements: within a transaction, or each by itself. */
export interface Turns {
  readonly prepare: Prepare;
  read<T>(task: () => T): Promise<T>;
  /** Returns once it is on disk, or with the transaction that it is part of. */
  write<T>(task: () => T): Promise<T>;
}

/** Reads at once; writes together with what others write. */
export function standaloneTurns(
  connection: Pick<Connection<unknown>, 'prepare' | 'now'>,
  group: GroupCommit,
): Turns {
  return {
    prepare: connection.prepare,
    read: (task) => connection.now(task),
    write: (task) => group.run(task),
  };
}

/** Everything at once, within a transaction that is under way. */
export function turnsWithin({ prepare }: Pick<Connection<unknown>, 'prepare'>): Turns {
  const atOnce = async <T>(task: () => T) => task();
  return { prepare, read: atOnce, write: atOnce };
}
