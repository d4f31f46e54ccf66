import { createGuardedFetch, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author, create, postRecord, type Write } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { verifyStored } from '../verifying/verify.ts';
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
  const uri = rei.uri('3kzzz');
  const ref = { uri, cid: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm' };
  const reply = { root: ref, parent: ref };
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  const answer = { ...create('3kaaa', [art]), record: { ...postRecord([art], 'hello'), reply } };
  const kept = create('3kbbb', [art, world.node.boundary('writers')]);
  await world.apply(world.node.commit(await rei.commit([answer as Write, kept])));
  await world.apply(await world.node.membership(rei, ['art']));
  world.node.repos.set(REI, () => rei.car());
});
afterEach(() => world[Symbol.asyncDispose]());

async function reindex(): Promise<void> {
  const { db, node } = world;
  await db.resync.create({ data: { did: REI, nodeDid: node.did, reason: 'operator' } });
  const source = {
    db,
    fetch: createGuardedFetch({ devMode: true, maxBytes: 1_000_000, timeoutMs: 60_000 }),
    appView: { did: APPVIEW, key: SigningKey.generate('secp256k1') },
    node: { did: node.did, endpoint: node.url },
    signal: new AbortController().signal,
  };
  expect(await resyncRepo(source, REI)).toMatchObject({ isDone: true });
}

async function flaws(): Promise<string[]> {
  const report = await verifyStored(world.db, { keys: undefined });
  return report.flaws.map(({ kind, uri }) => `${kind} ${uri?.split('/').at(-1)}`);
}

async function stored(): Promise<unknown> {
  const omit = { rev: true, proofRev: true } as const;
  return [
    await world.db.post.findMany({ omit, orderBy: { uri: 'asc' } }),
    await world.db.postBoundary.findMany({ orderBy: [{ uri: 'asc' }, { boundary: 'asc' }] }),
    await world.db.postReference.findMany(),
  ];
}

test.each([
  ['wrong-columns', `update stratos_post set text = 'other'`],
  ['wrong-columns', `update stratos_post set tags = '{other}', langs = '{fr}', facets = '[]'`],
  ['wrong-columns', `update stratos_post set reply_root = null, reply_parent = null`],
  ['wrong-columns', `update stratos_post set created_at = '2020-01-01', sort_at = '2020-01-01'`],
  ['wrong-bytes', `update stratos_post set record = '\\x00'`],
  ['wrong-boundaries', `update stratos_post set boundaries = array[node_did || '/other']`],
  ['wrong-reader', `update stratos_post_boundary set sort_at = sort_at - interval '1 day'`],
  ['wrong-reader', `update stratos_post_boundary set cid = 'other'`],
  ['wrong-reader', `update stratos_post_boundary set indexed_at = indexed_at - interval '1 day'`],
  ['not-shown', `delete from stratos_post_boundary`],
  ['wrong-search', `delete from stratos_post_search`],
  ['wrong-references', `delete from stratos_post_reference`],
])('%s is found, and put right by a reindex', async (kind, damage) => {
  const before = await stored();
  expect(await flaws()).toEqual([]);
  await world.db.$executeRawUnsafe(damage);
  expect((await flaws()).join()).toContain(kind);
  await reindex();
  expect(await flaws()).toEqual([]);
  expect(await stored()).toEqual(before);
});

test('what is not damaged is written no more, and no news', async () => {
  const { seq } = await world.db.change.findFirstOrThrow({ orderBy: { seq: 'desc' } });
  const written = () => world.db.$queryRaw`select uri, rev from stratos_post order by uri`;
  const before = await written();
  await reindex();
  expect(await written()).toEqual(before);
  expect(await world.db.change.count({ where: { seq: { gt: seq } } })).toBe(0);
});
