import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { ServiceStorage, ServiceStores } from '../service-storage.ts';
import { storesOn } from '../sql/service-stores.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import { openDatabase } from './database.ts';
import { DurableHead } from './durable-head.ts';
import { SqliteEnrollmentStore } from './enrollment-store.ts';
import { SqliteEventLog } from './event-log.ts';
import { GroupCommit } from './group-commit.ts';
import { SqliteOutboxStore } from './outbox-store.ts';
import { SqlitePublicationStore } from './publication-store.ts';
import { publishNext } from './publish-next.ts';
import { SqliteReplayStore } from './replay-store.ts';
import { serviceMigrations } from './service-schema.ts';
import { standaloneTurns, type Turns, turnsWithin } from './turns.ts';

const PAGE_CACHE_KIB = 8_000;
/** Everybody writes here, so it is worth 16 MB of disk to do it less often. */
const CHECKPOINT_PAGES = 4_000;

/** Opens `{dataDir}/service.sqlite`. */
export async function openServiceStorage(dataDir: string): Promise<ServiceStorage> {
  const path = join(dataDir, 'service.sqlite');
  const connection = await openDatabase<ServiceTables>(path, serviceMigrations, {
    pageCacheKib: PAGE_CACHE_KIB,
    checkpointPages: CHECKPOINT_PAGES,
  });
  const { prepare } = connection;
  const durable = new DurableHead(prepare);
  const persist = () => {
    const head = durable.newest();
    return async () => {
      await connection.persist();
      durable.raise(head);
    };
  };
  const group = new GroupCommit({ connection, persist });
  const within = turnsWithin(connection);
  return {
    ...directStoresOn(connection.db, standaloneTurns(connection, group), durable),
    publishNext: (commit) => group.run(() => publishNext(prepare, commit)),
    async transact(task) {
      const { result, head } = await connection.transact('IMMEDIATE', async (db) => {
        const before = durable.newest();
        const result = await task(directStoresOn(db, within, durable));
        const after = durable.newest();
        return { result, head: after > before ? after : 0 };
      });
      // @NOTE what it added is on disk, and with it all that was committed before
      durable.raise(head);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await group.run(() => undefined);
      await connection.close();
    },
  };
}

function directStoresOn(
  db: Kysely<ServiceTables>,
  turns: Turns,
  durable: DurableHead,
): ServiceStores {
  return {
    ...storesOn(db),
    enrollments: new SqliteEnrollmentStore(db, turns),
    events: new SqliteEventLog(db, turns, durable),
    outbox: new SqliteOutboxStore(db, turns),
    publications: new SqlitePublicationStore(db, turns),
    replay: new SqliteReplayStore(turns),
  };
}
