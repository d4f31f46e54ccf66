import type { Did } from '@stratos/protocol';
import { sql } from 'kysely';
import PQueue from 'p-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';
import { UnknownActorError } from '../actor-storage.ts';
import { blockOf, commitOf, didOf, KEY, revOf } from '../conformance/fixtures.ts';
import { SchemaTooNewError } from '../sql/migrate.ts';
import { actorSchemaName } from './actor-schema-name.ts';
import { PostgresActorStorage, type PostgresActorStorageOptions } from './actor-storage.ts';
import { openPool } from './pool.ts';

const NO_WAIT = { delayMs: 0, lockMs: 1_000, stopWithinMs: 5_000 };

let database: TestDatabase;
let admin: ReturnType<typeof openPool>;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = openPool(database.url, { max: 1, logger: silentLogger });
});
afterAll(async () => {
  await admin.destroy();
  await database[Symbol.asyncDispose]();
});

function open(options: Partial<PostgresActorStorageOptions> = {}): PostgresActorStorage {
  return new PostgresActorStorage({
    url: database.url,
    actorPoolSize: 4,
    adminPoolSize: 2,
    blockCacheSize: 100,
    logger: silentLogger,
    ...options,
  });
}

it('names a schema after the whole hash of a DID', () => {
  const names = new Set(Array.from({ length: 1_000 }, (_, i) => actorSchemaName(didOf(`n${i}`))));
  expect(names.size).toBe(1_000);
  // @NOTE so many bytes are all of a SHA-256, and fit into a name of Postgres
  for (const name of names) expect(name).toMatch(/^actor_[a-z2-7]{51}[aq]$/);
});

it('refuses to acknowledge what Postgres rolled back', async () => {
  await using storage = open();
  const did = didOf('swallowed');
  await storage.create(did, KEY);
  const commit = commitOf([{ rkey: 'a', text: 'x' }], { rev: revOf(1) });
  await storage.write(did, (actor) => actor.applyCommit(commit));
  const twice = storage.write(did, async (actor) => {
    // @NOTE a revision is unique, so its second event fails, and with it the transaction
    await actor.applyCommit(commit).catch(() => undefined);
    return 'acknowledged';
  });
  await expect(twice).rejects.toThrow();
  const next = commitOf([{ rkey: 'b', text: 'y' }], { rev: revOf(2) });
  await storage.write(did, (actor) => actor.applyCommit(next));
});

describe('several processes', () => {
  it('find at once what another made, and what it destroyed not any more', async () => {
    await using one = open();
    await using two = open();
    const did = didOf('shared');
    expect(await two.read(did, async () => 'there')).toBeUndefined();
    await one.create(did, KEY);
    expect(await two.read(did, async (actor) => actor.signingKey())).toEqual(KEY);
    await one.destroy(did);
    expect(await two.read(did, async (actor) => actor.signingKey())).toBeUndefined();
    await one.create(did, KEY);
    expect(await two.read(did, async (actor) => actor.signingKey())).toEqual(KEY);
    await one.destroy(did);
    await expect(two.write(did, (actor) => actor.signingKey())).rejects.toThrow(UnknownActorError);
  });

  it('make a store once', async () => {
    await using one = open();
    await using two = open();
    const did = didOf('race');
    const other = new Uint8Array(32).fill(8);
    const both = [one, two, one, two];
    await Promise.all(both.map((storage, i) => storage.create(did, i % 2 ? KEY : other)));
    const [a, b] = await Promise.all([one, two].map((s) => s.read(did, (x) => x.signingKey())));
    expect(a).toEqual(b);
  });

  it('take turns to write to an actor', async () => {
    await using one = open();
    await using two = open();
    const did = didOf('turns');
    await one.create(did, KEY);
    await one.write(did, (actor) => actor.applyCommit(commitOf([], { rev: revOf(1) })));
    const writers = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? one : two).write(did, async (actor) => {
        const { size } = await actor.eventsAfter(0, 100);
        const changes = [{ rkey: `r${i}`, text: `t${i}` }];
        return actor.applyCommit(commitOf(changes, { rev: revOf(size + 1) }));
      }),
    );
    expect(new Set(await Promise.all(writers)).size).toBe(20);
  });
});

it('refuses an actor of a newer version', async () => {
  const did = didOf('newer');
  {
    await using storage = open();
    await storage.create(did, KEY);
  }
  const schema = actorSchemaName(did);
  await sql
    .raw(`INSERT INTO ${schema}.stratos_migration VALUES (999, 'in the future')`)
    .execute(admin);
  await using storage = open();
  await expect(storage.read(did, async () => 'read')).rejects.toThrow(SchemaTooNewError);
  await expect(storage.create(did, KEY)).rejects.toThrow(SchemaTooNewError);
});

it('leaves nothing of deleted content in the files of the table', async () => {
  const did = didOf('scrubbed');
  const phrase = 'the secret that was posted by mistake';
  const secret = phrase.repeat(40);
  await using storage = open({ scrubTiming: NO_WAIT });
  await storage.create(did, KEY);
  await storage.write(did, (actor) =>
    actor.applyCommit(commitOf([{ rkey: 'a', text: secret }], { rev: revOf(1) })),
  );
  const isInFile = async () => {
    await sql`CHECKPOINT`.execute(admin);
    const table = `${actorSchemaName(did)}.stratos_repo_block`;
    const { rows } = await sql<{ bytes: Uint8Array }>`
      SELECT pg_read_binary_file(pg_relation_filepath(${table})) AS bytes`.execute(admin);
    return Buffer.from(rows[0]?.bytes ?? []).includes(phrase);
  };
  expect(await isInFile()).toBe(true);
  await storage.write(did, (actor) =>
    actor.applyCommit(commitOf([{ rkey: 'a', was: secret }], { rev: revOf(2) })),
  );
  await sql.raw(`VACUUM ${actorSchemaName(did)}.stratos_repo_block`).execute(admin);
  // @NOTE why an ordinary vacuum is not enough
  expect(await isInFile()).toBe(true);
  await storage.scrub(did);
  while (await isInFile()) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await storage.read(did, (actor) => actor.block(blockOf(secret)[0]))).toBeUndefined();
});

it('reads and writes among many actors with the connections that it was given', async () => {
  await using home = await createTestDatabase();
  await using storage = open({ url: home.url });
  const count = Number(process.env['STRATOS_TEST_ACTORS'] ?? 200);
  const dids = Array.from({ length: count }, (_, i) => didOf(`crowd${i}`));
  const commit = commitOf([{ rkey: 'a', text: 'hello' }], { rev: revOf(1) });
  // @NOTE more at once than there are connections
  const queue = new PQueue({ concurrency: 30 });
  const ofEach = <T>(task: (did: Did) => Promise<T>) =>
    queue.addAll(dids.map((did) => () => task(did)));
  const begun = Date.now();
  await ofEach((did) => storage.create(did, KEY));
  const made = Date.now();
  await ofEach((did) => storage.write(did, (actor) => actor.applyCommit(commit)));
  const written = Date.now();
  const roots = await ofEach((did) => storage.read(did, (actor) => actor.root()));
  const read = Date.now();
  expect(roots).toEqual(dids.map(() => commit.root));
  const counter = openPool(home.url, { max: 1, logger: silentLogger });
  const { rows } = await sql<{ used: number }>`SELECT count(*) AS used FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(counter);
  await counter.destroy();
  expect(rows[0]?.used).toBeLessThanOrEqual(6);
  console.info(
    `${count} actors: made in ${made - begun} ms, written to in ${written - made} ms, read in ${read - written} ms`,
  );
}, 300_000);
