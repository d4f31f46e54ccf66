import type { Kysely } from 'kysely';
import PQueue from 'p-queue';
import type { Logger } from '../../logger.ts';
import type { ServiceStorage, ServiceStores } from '../service-storage.ts';
import { migrateWithin } from '../sql/migrate.ts';
import { storesOn } from '../sql/service-stores.ts';
import { advisoryKey } from './advisory-key.ts';
import { PostgresEventLog } from './event-log.ts';
import { PostgresOutboxStore } from './outbox-store.ts';
import { openPool } from './pool.ts';
import { PostgresPublicationStore, ProcessMarks } from './publication-store.ts';
import { publishAll } from './publish-all.ts';
import { PublishQueue } from './publish-queue.ts';
import { serviceMigrations } from './service-schema.ts';
import type { PostgresServiceTables } from './service-tables.ts';
import type { PostgresSession } from './session.ts';
import { transact } from './transact.ts';

const SCHEMA = 'stratos';
const MAX_CONNECTIONS = 10;
/** Longest wait for the transactions of other processes. */
const TURN_WITHIN_MS = 15_000;

/**
 * Opens a transaction that changes the service database. They take turns, from their first statement
 * until they are durable: a position of the stream would otherwise be seen before an earlier one.
 */
const BEGIN_TURN = `BEGIN; SET LOCAL lock_timeout = ${TURN_WITHIN_MS};
  SELECT pg_advisory_xact_lock(${advisoryKey('service')})`;

export interface PostgresServiceOptions {
  url: string;
  session: PostgresSession;
  logger: Logger;
}

/** Opens the service database in the Postgres schema `stratos`, which it makes if there is none. */
export async function openPostgresServiceStorage({
  url,
  session,
  logger,
}: PostgresServiceOptions): Promise<ServiceStorage> {
  const pool = { max: MAX_CONNECTIONS, schema: SCHEMA, logger };
  const db = openPool<PostgresServiceTables>(url, pool);
  try {
    await transact(db, `${BEGIN_TURN}; CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`, (tx) =>
      migrateWithin(tx as never, serviceMigrations),
    );
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const marks = new ProcessMarks(session);
  session.onReconnect(() => new PostgresPublicationStore(db, marks).markAgain());
  // @NOTE so that those who wait for their turn do not each hold a connection meanwhile
  const turns = new PQueue({ concurrency: 1 });
  const inTurn = <T>(task: (tx: Kysely<PostgresServiceTables>) => Promise<T>) =>
    turns.add(() => transact(db, BEGIN_TURN, task));
  const within = (tx: Kysely<PostgresServiceTables>): ServiceStores => ({
    ...storesOn(tx as never),
    outbox: new PostgresOutboxStore(tx, session),
    publications: new PostgresPublicationStore(tx, marks),
  });
  const queue = new PublishQueue((commits) => inTurn((tx) => publishAll(tx, commits)));
  return {
    ...within(db),
    events: new PostgresEventLog(db, (task) => inTurn((tx) => task(within(tx).events))),
    publishNext: (commit) => queue.add(commit),
    transact: (task) => inTurn((tx) => task(within(tx))),
    async [Symbol.asyncDispose]() {
      await queue.idle();
      await turns.onIdle();
      await db.destroy();
    },
  };
}
