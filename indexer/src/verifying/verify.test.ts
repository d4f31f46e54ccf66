import { decode } from '@atproto/lex-cbor';
import { Prisma } from '@stratos/prisma';
import {
  CommitClaim,
  createIdentityResolver,
  encodeRecord,
  SigningKey,
  toDid,
} from '@stratos/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction } from '../database.ts';
import { placeHolds } from '../holds/place-holds.ts';
import { Author, create, postRecord, remove, update, type Write } from '../testing/author.ts';
import { World } from '../testing/world.ts';
import { FLAWS, type FlawKind } from './flaw.ts';
import { NodeKeys } from './node-keys.ts';
import { type VerifyOptions, verifyStored } from './verify.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
const SAKURA = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
const OTHER_CID = 'bafyreib2rxk3rybloqtqwbo4rglg5l4iqlm5gvqbhplbqofmjmmyfyvdwi';

let world: World;
let rei: Author;
let art: string;
let writers: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  art = world.node.boundary('art');
  writers = world.node.boundary('writers');
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art', 'writers']));
  await world.apply(world.node.commit(await rei.genesis()));
  await world.apply(world.node.commit(await rei.commit([create('3kaaa', [art]), answer('3kbbb')])));
});
afterEach(() => world[Symbol.asyncDispose]());

/** An answer to the first post. */
function answer(rkey: string): Write {
  const first = { uri: rei.uri('3kaaa'), cid: OTHER_CID };
  const write = create(rkey, [art], 'an answer') as Write & { record: object };
  return { ...write, record: { ...write.record, reply: { root: first, parent: first } } } as Write;
}

async function verify(options: Partial<VerifyOptions> = {}) {
  const identity = createIdentityResolver({ plcUrl: 'http://localhost:1', devMode: true });
  return verifyStored(world.db, { keys: new NodeKeys(identity), ...options });
}

async function flaws(options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const { flaws: found } = await verify(options);
  return [...new Set(found.map(({ kind }) => kind))].sort();
}

/** Changes what is stored, past the foreign keys. */
async function damage(...statements: Prisma.Sql[]): Promise<void> {
  await inTransaction(world.db, async (tx) => {
    await tx.$executeRaw`set local session_replication_role = replica`;
    for (const statement of statements) await tx.$executeRaw(statement);
  });
}

const sql = Prisma.sql;
const first = () => sql`uri = ${rei.uri('3kaaa')}`;

test('finds nothing where all is as it was proven', async () => {
  const sakura = await Author.create(SAKURA);
  await world.apply(await world.node.membership(sakura, ['art']));
  await world.apply(world.node.commit(await sakura.post('3kccc', [art])));
  await world.apply(world.node.commit(await rei.commit([update('3kaaa', [art, writers])])));
  await world.apply(world.node.commit(await rei.commit([remove('3kbbb'), create('3kddd', [art])])));
  await world.apply(await world.node.membership(sakura, [], { active: false }));
  expect(await verify()).toEqual({ people: 2, posts: 3, found: 0, flaws: [] });
});

test('finds nothing while an indexer is writing', async () => {
  let isDone = false;
  const writing = (async () => {
    for (let i = 0; !isDone; i++) {
      await world.apply(world.node.commit(await rei.commit([update('3kaaa', [art], `${i}`)])));
      await world.apply(await world.node.membership(rei, ['art'], { active: i % 2 === 0 }));
    }
  })();
  for (let round = 0; round < 15; round++) expect(await flaws({ keys: undefined })).toEqual([]);
  isDone = true;
  await writing;
});

test('takes into account what is hidden before its turn', async () => {
  const { did: nodeDid } = world.node;
  await placeHolds(world.db, nodeDid, [
    { did: REI, streamSeq: 99, uris: [rei.uri('3kaaa')], keeps: [art] },
  ]);
  expect(await world.readable()).toEqual(['3kbbb art']);
  expect(await flaws()).toEqual([]);
});

test('looks at whom it is told to, and says where a flaw is', async () => {
  const sakura = await Author.create(SAKURA);
  await world.apply(await world.node.membership(sakura, ['art']));
  await damage(sql`update stratos_post set text = 'forged' where ${first()}`);
  expect(await flaws({ did: SAKURA })).toEqual([]);
  expect(await flaws({ nodeDid: 'did:web:nowhere.example' })).toEqual([]);
  const { people, found, flaws: listed } = await verify({ did: REI });
  expect([people, found]).toEqual([1, 2]);
  expect(listed[0]).toEqual({
    ...{ kind: 'wrong-columns', nodeDid: world.node.did, did: REI, uri: rei.uri('3kaaa') },
  });
  expect(JSON.stringify(listed)).not.toContain('forged');
  expect(await verify({ sample: 1 })).toMatchObject({ people: 1 });
});

test('leaves the signatures of nodes out where it may not ask them', async () => {
  world.node.document = {};
  expect(await flaws()).toEqual(['no-keys']);
  expect(await flaws({ keys: undefined })).toEqual([]);
});

test('accepts statements by a key that the node has used before, and by no other', async () => {
  await world.node.rotateKey();
  expect(await flaws()).toEqual([]);
  world.node.keyHistory = undefined;
  expect(await flaws()).toEqual(['statement-signature']);
});

/** Every kind of flaw, how it comes about, and all that is found then. */
const SEEDS: Record<Exclude<FlawKind, 'no-keys'>, [FlawKind[], () => Promise<void>]> = {
  'log-head': [
    ['log-head'],
    () => damage(sql`update stratos_node set membership_head = ${OTHER_CID}`),
  ],
  'no-membership': [
    ['log-head', 'no-membership', 'shown', 'wrong-head'],
    () => damage(sql`delete from stratos_membership`),
  ],
  'no-statement': [
    ['log-head', 'no-statement'],
    () => damage(sql`update stratos_membership set entry = null`),
  ],
  'bad-statement': [
    ['bad-statement', 'log-head'],
    () => damage(sql`update stratos_membership set entry = '\\xa0'`),
  ],
  'statement-signature': [['log-head', 'statement-signature'], forgeStatement],
  'statement-differs': [
    ['statement-differs'],
    () => damage(sql`update stratos_membership set issued_at = issued_at + interval '1 s'`),
  ],
  'wrong-memberships': [
    ['wrong-memberships'],
    () => damage(sql`delete from stratos_membership_boundary where boundary = ${art}`),
  ],
  'wrong-head': [['wrong-head'], () => damage(sql`update stratos_repo set data = ${OTHER_CID}`)],
  'bad-proof': [
    ['bad-proof'],
    () => damage(sql`update stratos_proof set car = substring(car from 1 for 100)`),
  ],
  'proof-signature': [
    ['proof-signature'],
    () => damage(sql`update stratos_proof set signing_key = ${SigningKey.generate('P-256').did()}`),
  ],
  'wrong-key': [['not-in-tree', 'wrong-head', 'wrong-key'], forgeProof],
  'no-proof': [['no-proof'], () => damage(sql`update stratos_post set proof_rev = null`)],
  'not-in-tree': [['not-in-tree', 'wrong-reader'], replaceRecord],
  'wrong-bytes': [
    ['not-in-tree', 'wrong-bytes', 'wrong-reader'],
    () => damage(sql`update stratos_post set cid = ${OTHER_CID} where ${first()}`),
  ],
  'wrong-columns': [
    ['wrong-columns'],
    () => damage(sql`update stratos_post set tags = '{forged}' where ${first()}`),
  ],
  'wrong-boundaries': [
    ['not-shown', 'wrong-boundaries'],
    () => damage(sql`update stratos_post set boundaries = ${[art, writers]} where ${first()}`),
  ],
  'wrong-rev': [['wrong-rev'], () => damage(sql`update stratos_post set rev = '7zzzzzzzzzzzz'`)],
  'wrong-sort': [
    ['wrong-reader', 'wrong-sort'],
    () =>
      damage(
        sql`alter table stratos_post drop constraint stratos_post_sort_check`,
        sql`update stratos_post set sort_at = sort_at + interval '1 h' where ${first()}`,
      ),
  ],
  buried: [
    ['buried'],
    () =>
      damage(sql`insert into stratos_tombstone (uri, node_did, rev)
        select uri, node_did, rev from stratos_post where ${first()}`),
  ],
  shown: [
    ['shown', 'wrong-search'],
    () =>
      damage(sql`insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
        select ${writers}, sort_at, uri, node_did, did, cid, indexed_at from stratos_post where ${first()}`),
  ],
  'not-shown': [
    ['not-shown'],
    () => damage(sql`delete from stratos_post_boundary where ${first()}`),
  ],
  'wrong-reader': [
    ['wrong-reader', 'wrong-search'],
    () =>
      damage(sql`update stratos_post_boundary set sort_at = sort_at - interval '1 h'
        where ${first()}`),
  ],
  'wrong-search': [
    ['wrong-search'],
    () => damage(sql`update stratos_post_search set words = '' where ${first()}`),
  ],
  'wrong-references': [['wrong-references'], () => damage(sql`delete from stratos_post_reference`)],
};

describe('finds', () => {
  test.each(Object.entries(SEEDS))('%s', async (kind, [expected, seed]) => {
    expect(await flaws()).toEqual([]);
    await seed();
    expect(expected).toContain(kind);
    expect(await flaws()).toEqual(expected);
  });

  test('each kind that there is', () => {
    expect(new Set([...Object.keys(SEEDS), 'no-keys'])).toEqual(new Set(Object.keys(FLAWS)));
  });
});

test.each([
  ['the author is no member', sql`update stratos_membership set active = false`],
  ['the author has not enrolled', sql`delete from stratos_enrollment`],
  ['the enrollment names another node', sql`update stratos_enrollment set node_did = 'did:web:x'`],
  [
    'the enrollment names another key',
    sql`update stratos_enrollment set signing_key = 'did:key:other'`,
  ],
  [
    'the account is not in use',
    sql`insert into stratos_actor (did, active, updated_at)
      select distinct did, false, now() from stratos_membership
      on conflict (did) do update set active = false`,
  ],
  [
    'the repo is outdated',
    sql`insert into stratos_resync (did, node_did, reason)
      select did, node_did, 'outdated' from stratos_membership`,
  ],
  [
    'the post has to go',
    sql`insert into stratos_hold (node_did, did, stream_seq, uri)
      select node_did, did, 99, uri from stratos_post`,
  ],
  [
    'all of the author has to go',
    sql`insert into stratos_hold (node_did, did, stream_seq, uri)
      select distinct node_did, did, 99, 'at://' || did from stratos_post`,
  ],
])('finds what is shown though %s', async (_why, statement) => {
  await damage(statement);
  expect(await flaws()).toContain('shown');
});

async function forgeStatement(): Promise<void> {
  const { entry } = await world.db.membership.findFirstOrThrow();
  const bytes = Buffer.from(entry ?? []);
  const { sig } = decode(bytes) as { sig: Uint8Array };
  const place = bytes.indexOf(sig) + 5;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await damage(sql`update stratos_membership set entry = ${bytes}`);
}

/** A proof that is whole, by somebody else in the name of the person. */
async function forgeProof(): Promise<void> {
  const thief = await Author.create(REI);
  const frame = world.node.commit(await thief.commit([create('3kaaa', [art], 'forged')]));
  const claim = await CommitClaim.read(frame.body, { service: world.node.did });
  await damage(
    sql`update stratos_proof set car = ${claim.proof()}, commit = ${claim.commit},
      rev = ${claim.rev}, signing_key = ${thief.key.did()}`,
    sql`update stratos_post set proof_rev = ${claim.rev}`,
  );
}

/** A record that is whole, of which the repo knows nothing. */
async function replaceRecord(): Promise<void> {
  const { createdAt } = await world.db.post.findFirstOrThrow({ where: { uri: rei.uri('3kaaa') } });
  const record = { ...postRecord([art], 'hello'), createdAt: createdAt.toISOString(), forged: 1 };
  const { bytes, cid } = await encodeRecord(record as never);
  await damage(sql`update stratos_post set record = ${bytes}, cid = ${cid} where ${first()}`);
}
