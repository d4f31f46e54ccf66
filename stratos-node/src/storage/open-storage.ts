import type { NodeConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import { type ActorLocks, LocalActorLocks, SharedActorLocks } from '../repo/actor-locks.ts';
import type { ActorStorage } from './actor-storage.ts';
import { PostgresActorStorage } from './postgres/actor-storage.ts';
import { openPostgresServiceStorage } from './postgres/service-storage.ts';
import { PostgresSession } from './postgres/session.ts';
import type { ServiceStorage } from './service-storage.ts';
import { SqliteActorStorage } from './sqlite/actor-storage.ts';
import { openServiceStorage } from './sqlite/service-storage.ts';

/** Where a node keeps everything but keys and blobs. */
export interface NodeStorage extends AsyncDisposable {
  readonly service: ServiceStorage;
  readonly actors: ActorStorage;
  readonly locks: ActorLocks;
  /** By which the processes of a node know of each other; undefined where there can be only one. */
  readonly session: PostgresSession | undefined;
}

/** Opens the storage that the operator chose, made if there is none. */
export async function openStorage(
  { dataDir, serviceDid, storage }: Pick<NodeConfig, 'dataDir' | 'serviceDid' | 'storage'>,
  logger: Logger,
): Promise<NodeStorage> {
  await using opened = new AsyncDisposableStack();
  if (storage.backend === 'sqlite') {
    const service = opened.use(await openServiceStorage(dataDir));
    const actors = opened.use(new SqliteActorStorage(dataDir, serviceDid));
    return owning({ service, actors, locks: new LocalActorLocks(), session: undefined }, opened);
  }
  const { url } = storage;
  const session = opened.use(await PostgresSession.open(url, logger));
  const service = opened.use(await openPostgresServiceStorage({ url, session, logger }));
  const actors = opened.use(new PostgresActorStorage({ ...storage, logger }));
  return owning({ service, actors, locks: new SharedActorLocks(session), session }, opened);
}

function owning(
  storage: Omit<NodeStorage, keyof AsyncDisposable>,
  opened: AsyncDisposableStack,
): NodeStorage {
  const owned = opened.move();
  return { ...storage, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
