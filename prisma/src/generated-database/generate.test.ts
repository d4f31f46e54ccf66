import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../testing/index.ts';
import { DatabaseNotEmptyError, generateDatabase } from './generate.ts';
import { VIEWERS } from './viewers.ts';

const SIZE = { posts: 500, boundaries: 60, memberships: 400, seed: 7 };

test('a seed makes one database, another makes another, of the size that is asked for', async () => {
  const [one, two, other] = [await generated(7), await generated(7), await generated(8)];
  expect(one).toEqual(two);
  expect(one.posts).toHaveLength(SIZE.posts);
  expect(one.posts).not.toEqual(other.posts);
  expect(one.members).toHaveLength(
    SIZE.memberships + VIEWERS.reduce((sum, { boundaries }) => sum + boundaries, 0),
  );
});

test('there are all kinds of posts, and not all of them are to be read', async () => {
  const { posts, readers } = await generated(7);
  const some = (column: string) => posts.filter((post) => post[column] !== null).length;
  for (const column of ['reply_parent', 'quote']) {
    expect(some(column), column).toBeGreaterThan(0);
    expect(some(column), column).toBeLessThan(SIZE.posts);
  }
  expect(new Set(posts.map((post) => post['node_did'])).size).toBe(8);
  expect(new Set(readers.map((reader) => reader['uri'])).size).toBeLessThan(SIZE.posts);
  expect(readers.length).toBeGreaterThan(SIZE.posts / 2);
});

test('nothing is written into a database that is in use', async () => {
  await using database = await createTestDatabase();
  await query(database.url, "insert into stratos_node (did, endpoint) values ('did:web:a', 'b')");
  await expect(generateDatabase(database.url, SIZE)).rejects.toThrow(DatabaseNotEmptyError);
});

test('keys, indexes and schemas are those of an empty database, and hold for all rows', async () => {
  await using empty = await createTestDatabase();
  await using filled = await createTestDatabase();
  await generateDatabase(filled.url, SIZE);
  expect(await shape(filled.url)).toEqual(await shape(empty.url));
});

async function shape(url: string) {
  const constraints = await query(
    url,
    `select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated, condeferrable
     from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`,
  );
  const indexes = await query(
    url,
    `select pg_get_indexdef(indexrelid) as definition, indisvalid from pg_index
     where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace) order by 1`,
  );
  const triggers = await query(
    url,
    `select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where not tgisinternal order by 1, 2`,
  );
  const schemas = await query(
    url,
    `select nspname from pg_namespace where nspname !~ '^pg_(toast_)?temp_' order by 1`,
  );
  expect(constraints.length).toBeGreaterThan(50);
  expect(triggers.length).toBeGreaterThan(2);
  return { constraints, indexes, triggers, schemas };
}

async function generated(seed: number) {
  await using database = await createTestDatabase();
  let written = 0;
  const onPosts = (count: number) => {
    written += count;
  };
  await generateDatabase(database.url, { ...SIZE, seed, onPosts });
  expect(written).toBe(SIZE.posts);
  const all = (table: string) => query(database.url, `select * from ${table} t order by t::text`);
  return {
    posts: await all('stratos_post'),
    readers: await all('stratos_post_boundary'),
    members: await query(
      database.url,
      `select did, boundary from stratos_membership_boundary union all
       select did, unnest(boundaries) from stratos_enrollment e
       where not exists (select from stratos_membership m where m.active and m.did = e.did and m.node_did = e.node_did)
       order by 1, 2`,
    ),
  };
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
