import { Client } from 'pg';
import { migrate } from '../migrations/migrate.ts';
import { writeCommunities } from './communities.ts';
import { defineDraw } from './draw.ts';
import type { DatabaseSize } from './options.ts';
import { writePosts } from './posts.ts';
import { writeViewers } from './viewers.ts';
import { withoutIndexes } from './without-indexes.ts';

const CONNECTIONS = 4;

export interface GenerateOptions extends DatabaseSize {
  /** Told of posts that are written. */
  onPosts?: (count: number) => void;
}

/** There is something in the database already. */
export class DatabaseNotEmptyError extends Error {
  override name = 'DatabaseNotEmptyError';
}

/**
 * Fills an empty database, which it migrates, with what a large AppView has: several nodes, big dormant
 * boundaries and small busy ones, threads, quotes, people who left and accounts that are gone.
 *
 * A million posts take some minutes. What is drawn lies in the schema `draft` until the end.
 *
 * @throws DatabaseNotEmptyError
 */
export async function generateDatabase(
  databaseUrl: string,
  options: GenerateOptions,
): Promise<void> {
  await migrate(databaseUrl);
  await using opened = new AsyncDisposableStack();
  const client = await connect(opened, databaseUrl);
  const { rowCount } = await client.query('select from stratos_node limit 1');
  if (rowCount) throw new DatabaseNotEmptyError('The database is not empty');
  const connections: [Client, ...Client[]] = [client];
  while (connections.length < CONNECTIONS) connections.push(await connect(opened, databaseUrl));

  await client.query('create schema draft');
  await defineDraw(client, options.seed);
  await writeCommunities(client, options);
  await writeViewers(client, options);
  await withoutIndexes(connections, () =>
    writePosts(connections, options, options.onPosts ?? (() => {})),
  );
  await client.query('drop schema draft cascade');
  await client.query('vacuum analyze');
}

async function connect(opened: AsyncDisposableStack, databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  opened.defer(() => client.end());
  await client.connect();
  await client.query("set synchronous_commit = off; set maintenance_work_mem = '256MB'");
  await client.query("set work_mem = '64MB'");
  return client;
}
