import { randomBytes } from 'node:crypto';
import { createGuardedFetch, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author, create, postRecord, type Write } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { resyncRepo } from './resync-repo.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const APPVIEW = toDid('did:web:localhost%3A4000');

let world: World;
let rei: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  art = world.node.boundary('art');
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  world.node.repos.set(REI, () => rei.car());
});
afterEach(() => world[Symbol.asyncDispose]());

async function resync(): Promise<unknown> {
  const { db, node } = world;
  await db.resync.create({ data: { did: REI, nodeDid: node.did, reason: 'returned' } });
  const source = {
    db,
    fetch: createGuardedFetch({ devMode: true, maxBytes: 10_000_000, timeoutMs: 60_000 }),
    appView: { did: APPVIEW, key: SigningKey.generate('secp256k1') },
    node: { did: node.did, endpoint: node.url },
    signal: new AbortController().signal,
  };
  return resyncRepo(source, REI);
}

/** A post with something in it that is not usual. */
function odd(rkey: string, fields: object): Write {
  const write = create(rkey, [art]);
  return { ...write, record: { ...postRecord([art], 'odd'), ...fields } } as Write;
}

test('what the database cannot hold costs nothing but itself', async () => {
  await world.db.$executeRawUnsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin
      raise exception 'unsupported Unicode escape sequence' using errcode = '22P05';
    end $$`);
  await world.db.$executeRawUnsafe(`
    create trigger refused before insert or update on stratos_post for each row
      when (new.text = 'odd') execute function refuse()`);
  const rkeys = Array.from({ length: 9 }, (_, i) => `3k${i}`);
  await rei.commit(rkeys.map((rkey, i) => (i % 4 === 1 ? odd(rkey, {}) : create(rkey, [art]))));
  expect(await resync()).toEqual({ isDone: true, records: 9 });
  expect(await world.readable()).toEqual(
    ['0', '2', '3', '4', '6', '7', '8'].map((i) => `3k${i} art`),
  );
  expect(await world.db.quarantined.findMany({ orderBy: { uri: 'asc' } })).toMatchObject([
    { did: REI, uri: rei.uri('3k1'), reason: 'not-storable' },
    { did: REI, uri: rei.uri('3k5'), reason: 'not-storable' },
  ]);
  expect(await world.db.resync.count()).toBe(0);
});

test('an answer to an address that no index holds is left out of a repo, and of a stream', async () => {
  const did = `did:example:${randomBytes(1_000).toString('hex')}`;
  const uri = `at://${did}/app.bsky.feed.post/3kzzz`;
  await rei.commit([create('3kaaa', [art]), odd('3kbbb', { reply: replyTo(uri) })]);
  expect(await resync()).toMatchObject({ isDone: true });
  expect(await world.readable()).toEqual(['3kaaa art']);
  expect(await world.refusals()).toEqual(['not-storable']);
  const commit = await rei.commit([odd('3kccc', { reply: replyTo(uri) }), create('3kddd', [art])]);
  expect((await world.apply(world.node.commit(commit))).refusals).toEqual(['not-storable']);
  expect(await world.readable()).toEqual(['3kaaa art', '3kddd art']);
});

function replyTo(uri: string): object {
  const ref = { uri, cid: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm' };
  return { root: ref, parent: ref };
}
