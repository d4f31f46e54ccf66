import { Client } from 'pg';
import { migrate } from '../migrations/migrate.ts';
import { writeCommunities } from './communities.ts';
import { defineDraw } from './draw.ts';
import type { DatabaseSize } from './options.ts';
import { writePosts } from './posts.ts';
import { writeViewers } from './viewers.ts';

const WORDS_INDEX = 'stratos_post_search_words_idx';

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
 * @throws DatabaseNotEmptyError
 */
export async function generateDatabase(
  databaseUrl: string,
  options: GenerateOptions,
): Promise<void> {
  await migrate(databaseUrl);
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from stratos_node limit 1');
    if (rowCount) throw new DatabaseNotEmptyError('The database is not empty');
    await defineDraw(client, options.seed);
    await writeCommunities(client, options);
    await writeViewers(client, options);
    await withoutIndex(client, WORDS_INDEX, () =>
      writePosts(client, options, options.onPosts ?? (() => {})),
    );
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

/** Takes an index away while much is written, and makes it again of all at once. */
async function withoutIndex(
  client: Client,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const { rows } = await client.query<{ indexdef: string }>(
    'select indexdef from pg_indexes where indexname = $1',
    [name],
  );
  await client.query(`drop index ${name}`);
  await work();
  for (const { indexdef } of rows) await client.query(indexdef);
}
