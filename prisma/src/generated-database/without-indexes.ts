import type { Client } from 'pg';

const TABLES = [
  'stratos_post',
  'stratos_post_boundary',
  'stratos_post_search',
  'stratos_post_reference',
  'stratos_stub',
];
/** By this the rows of other tables find the post that they are of. */
const KEPT = 'stratos_post_pkey';

interface Definition {
  table: string;
  name: string;
  definition: string;
}

/**
 * Takes keys and indexes of the tables of posts away while much is written, and makes them again of all at
 * once, at the connections side by side. Foreign keys are checked when they come back.
 */
export async function withoutIndexes(
  connections: readonly [Client, ...Client[]],
  work: () => Promise<void>,
): Promise<void> {
  const [client] = connections;
  const foreignKeys = await constraintsOf(client, 'f');
  const keys = await constraintsOf(client, 'p');
  const indexes = await indexesOf(client);
  for (const { table, name } of [...foreignKeys, ...keys]) {
    await client.query(`alter table ${table} drop constraint ${name}`);
  }
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  await work();
  await runAll(connections, indexes.map(({ definition }) => definition).concat(keys.map(add)));
  await runAll(connections, foreignKeys.map(add));
}

function add({ table, name, definition }: Definition): string {
  return `alter table ${table} add constraint ${name} ${definition}`;
}

async function constraintsOf(client: Client, kind: 'p' | 'f'): Promise<Definition[]> {
  const { rows } = await client.query<Definition>(
    `select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where conrelid = any($1::regclass[]) and contype = $2 and conname <> $3`,
    [TABLES, kind, KEPT],
  );
  return rows;
}

/** The biggest first. */
async function indexesOf(client: Client): Promise<Definition[]> {
  const { rows } = await client.query<Definition>(
    `select indrelid::regclass::text as table, indexrelid::regclass::text as name,
       pg_get_indexdef(indexrelid) as definition
     from pg_index join pg_class c on c.oid = indexrelid join pg_am a on a.oid = c.relam
     where indrelid = any($1::regclass[]) and not indisprimary
     order by a.amname = 'gin' desc, name`,
    [TABLES],
  );
  return rows;
}

/** Runs statements, one after the other at each connection. */
async function runAll(connections: readonly Client[], statements: Iterable<string>): Promise<void> {
  const queue = statements[Symbol.iterator]();
  await Promise.all(
    connections.map(async (client) => {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        await client.query(next.value);
      }
    }),
  );
}
