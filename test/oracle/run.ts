import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { Client } from 'pg';
import { Account, startThrowawayAtproto } from '../network/src/index.ts';
import { runBatch } from './batch.ts';
import { COMMIT_LIES, FRAME_LIES } from './lies.ts';
import { MISHAPS } from './mishaps.ts';
import { PublicPerson } from './public-person.ts';
import { EVENTS, REPO_LIES } from './story.ts';
import { Tally } from './tally.ts';

const PEOPLE_PER_STORY = 2;
const TEMPLATE = 'template';

/** Everything that can happen. */
export const KINDS: readonly string[] = [
  ...EVENTS,
  ...MISHAPS.map((kind) => `frame: ${kind}`),
  ...REPO_LIES.map((kind) => `repo: ${kind}`),
  ...Object.keys(COMMIT_LIES).map((kind) => `commit: ${kind}`),
  ...Object.keys(FRAME_LIES).map((kind) => `frame: ${kind}`),
  'indexer killed',
];

export interface OracleOptions {
  /** Seed of the first story; the others follow. */
  first: number;
  stories: number;
  /** No batch begins after so many seconds. */
  seconds: number;
  /** Stories at the same time. */
  atOnce: number;
  /** The indexer's main script. */
  indexer: string;
  onProgress: (done: number) => void;
}

/**
 * Lets stories happen and compares what the AppView comes to with what the model says.
 *
 * @throws OracleError for the first story that comes out wrong
 */
export async function runOracle(options: OracleOptions): Promise<Tally> {
  const { first, stories, seconds, atOnce, indexer, onProgress } = options;
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-oracle-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'postgres');
  const postgres = opened.use(await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }));
  await postgres.createDatabase(TEMPLATE);
  await migrate(postgres.url(TEMPLATE));
  const atproto = opened.use(await startThrowawayAtproto());
  const people = await openAccounts(atproto.pdsUrl, Math.min(atOnce, stories) * PEOPLE_PER_STORY);

  const tally = new Tally();
  const until = Date.now() + seconds * 1000;
  for (let done = 0, batch = 0; done < stories && Date.now() < until; batch++) {
    const count = Math.min(atOnce, stories - done);
    const name = `batch_${batch}`;
    const server = postgres.url('postgres');
    await execute(server, `create database ${name} template ${TEMPLATE}`);
    const databaseUrl = postgres.url(name);
    await beginAt(databaseUrl, atproto.pdsUrl, await atproto.newestEvent());
    const env = {
      DATABASE_URL: databaseUrl,
      APPVIEW_DID: 'did:web:localhost%3A4000',
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      INDEXER_FIREHOSE_URL: atproto.pdsUrl,
      INDEXER_PORT: '0',
      STRATOS_PLC_URL: atproto.plcUrl,
      STRATOS_HANDLE_RESOLVER_URL: atproto.pdsUrl,
      STRATOS_DEV_MODE: 'true',
    };
    const seeds = Array.from({ length: count }, (_, index) => first + done + index);
    const cast = people.slice(0, count * PEOPLE_PER_STORY);
    tally.addAll(
      await runBatch({
        seeds,
        people: cast,
        peoplePerStory: PEOPLE_PER_STORY,
        databaseUrl,
        indexer: { script: indexer, env },
      }),
    );
    await execute(server, `drop database ${name} with (force)`);
    done += count;
    onProgress(done);
  }
  return tally;
}

async function openAccounts(pdsUrl: string, count: number): Promise<PublicPerson[]> {
  const people: PublicPerson[] = [];
  while (people.length < count) {
    const name = { handle: `person-${people.length}.test`, password: 'the password of a test' };
    people.push(new PublicPerson(await Account.signInOrCreate(pdsUrl, name)));
  }
  return people;
}

/** What earlier batches left on the PDS is none of the next one's business. */
async function beginAt(databaseUrl: string, pdsUrl: string, seq: number): Promise<void> {
  const source = pdsUrl.replace(/^http/, 'ws');
  await execute(
    databaseUrl,
    `insert into stratos_sync_cursor (source, seq, updated_at) values ('${source}', ${seq}, now())`,
  );
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
