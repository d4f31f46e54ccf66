import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { Client } from 'pg';
import { Account, startThrowawayAtproto } from '../network/src/index.ts';
import { CuttableRelay } from './cuttable-relay.ts';
import { PublicPerson } from './public-person.ts';

const TEMPLATE = 'template';
const ACCOUNTS_AT_ONCE = 4;

/** An AppView database of its own, and the environment of an indexer that fills it. */
export interface AppView extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly env: Record<string, string>;
  /** By which the indexer reaches the PDS. */
  readonly firehose: CuttableRelay;
}

/** What stories and crashes happen on: a Postgres, a PLC directory and a PDS with people. */
export interface Stage extends AsyncDisposable {
  readonly people: readonly PublicPerson[];
  /** Where the firehose is now. */
  firehosePosition(): Promise<number>;
  /** An AppView that knows nothing of what the firehose said up to a position. */
  openAppView(firehosePosition: number): Promise<AppView>;
}

export async function openStage(peopleCount: number): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-oracle-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'postgres');
  const postgres = opened.use(await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }));
  await postgres.createDatabase(TEMPLATE);
  await migrate(postgres.url(TEMPLATE));
  const { plcUrl, pdsUrl, newestEvent } = opened.use(await startThrowawayAtproto());
  const people = await openAccounts(pdsUrl, peopleCount);
  const server = postgres.url('postgres');
  let count = 0;
  const owned = opened.move();
  return {
    people,
    firehosePosition: newestEvent,
    async openAppView(position) {
      const name = `appview_${count++}`;
      await execute(server, `create database ${name} template ${TEMPLATE}`);
      const databaseUrl = postgres.url(name);
      await using opening = new AsyncDisposableStack();
      opening.defer(() => execute(server, `drop database ${name} with (force)`));
      const firehose = opening.use(await CuttableRelay.open(pdsUrl));
      const source = firehose.url.replace(/^http/, 'ws');
      await execute(
        databaseUrl,
        `insert into stratos_sync_cursor (source, seq, updated_at) values ('${source}', ${position}, now())`,
      );
      const appView = opening.move();
      return {
        databaseUrl,
        firehose,
        env: {
          DATABASE_URL: databaseUrl,
          APPVIEW_DID: 'did:web:localhost%3A4000',
          APPVIEW_KEY_FILE: join(folder, 'appview.key'),
          INDEXER_FIREHOSE_URL: firehose.url,
          INDEXER_PORT: '0',
          // One that is started again has at once what it followed.
          INDEXER_NAME: 'oracle',
          STRATOS_PLC_URL: plcUrl,
          STRATOS_HANDLE_RESOLVER_URL: pdsUrl,
          STRATOS_DEV_MODE: 'true',
        },
        [Symbol.asyncDispose]: () => appView.disposeAsync(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openAccounts(pdsUrl: string, count: number): Promise<PublicPerson[]> {
  const people: PublicPerson[] = [];
  const numbers = Array(count).keys();
  const open = async () => {
    for (const number of numbers) {
      const name = { handle: `person-${number}.test`, password: 'the password of a test' };
      people.push(new PublicPerson(await Account.signInOrCreate(pdsUrl, name)));
    }
  };
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, open));
  return people;
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
