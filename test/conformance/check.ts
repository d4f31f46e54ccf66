import type { World } from './world/world.ts';

/** What a check cannot do without, and how to give it to the suite. */
export const NEEDS = {
  people: '--accounts with three accounts: two that share a boundary, and one outside of it',
  operator: 'STRATOS_ADMIN_PASSWORD in the environment',
  appView: '--appview-key and --appview-did of an AppView that the node names',
  newcomer: 'an account with "newcomer": true in --accounts, which may be enrolled and unenrolled',
} as const;

export type Need = keyof typeof NEEDS;

/** One thing that is true of every Stratos node. It fails by throwing. */
export interface Check {
  readonly group: string;
  readonly name: string;
  readonly needs: readonly Need[];
  run(world: World): Promise<void>;
}

/** Thrown by a check that this node gives no occasion for. */
export class SkippedError extends Error {
  override name = 'SkippedError';
}

type Run = (world: World) => Promise<void>;

/** The checks of one subject; {@link add} takes them in order. */
export class CheckGroup {
  readonly checks: Check[] = [];
  readonly #group: string;
  readonly #needs: readonly Need[];

  /** @param needs - what every check of the group needs */
  constructor(group: string, needs: readonly Need[] = []) {
    this.#group = group;
    this.#needs = needs;
  }

  /** Adds a check; what it says is true when it passes. */
  add(name: string, run: Run): void;
  add(name: string, needs: readonly Need[], run: Run): void;
  add(name: string, ...rest: [Run] | [readonly Need[], Run]): void {
    const run = rest.at(-1) as Run;
    const own = rest.length === 2 ? rest[0] : [];
    const needs = [...new Set([...this.#needs, ...own])];
    this.checks.push({ group: this.#group, name, needs, run });
  }
}
