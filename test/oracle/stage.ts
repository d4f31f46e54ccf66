import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { Client } from 'pg';
import { Account, startThrowawayAtproto } from '../network/src/index.ts';
import { PublicPerson } from './public-person.ts';

const TEMPLATE = 'template';

/** An AppView database of its own, and the environment of an indexer that fills it. */
export interface AppView extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly env: Record<string, string>;
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
      const source = pdsUrl.replace(/^http/, 'ws');
      await execute(
        databaseUrl,
        `insert into stratos_sync_cursor (source, seq, updated_at) values ('${source}', ${position}, now())`,
      );
      return {
        databaseUrl,
        env: {
          DATABASE_URL: databaseUrl,
          APPVIEW_DID: 'did:web:localhost%3A4000',
          APPVIEW_KEY_FILE: join(folder, 'appview.key'),
          INDEXER_FIREHOSE_URL: pdsUrl,
          INDEXER_PORT: '0',
          STRATOS_PLC_URL: plcUrl,
          STRATOS_HANDLE_RESOLVER_URL: pdsUrl,
          STRATOS_DEV_MODE: 'true',
        },
        [Symbol.asyncDispose]: () => execute(server, `drop database ${name} with (force)`),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function openAccounts(pdsUrl: string, count: number): Promise<PublicPerson[]> {
  const people: PublicPerson[] = [];
  while (people.length < count) {
    const name = { handle: `person-${people.length}.test`, password: 'the password of a test' };
    people.push(new PublicPerson(await Account.signInOrCreate(pdsUrl, name)));
  }
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
