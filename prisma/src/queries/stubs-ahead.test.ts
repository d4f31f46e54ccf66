import type { AtUri, Boundary, Cid, Did, DidKey, Tid } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPrismaClient, type PrismaClient } from '../index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { countingRecords, openScope, type ProvenRecord, stubsAhead } from './index.ts';

const [node, other] = ['did:web:node.test' as Did, 'did:web:other.test' as Did];
const [author, reader] = ['did:plc:author' as Did, 'did:plc:reader' as Did];
const boundaryOf = (name: string, of = node) => `${of}/${name}` as Boundary;
const [open, closed] = [boundaryOf('open'), boundaryOf('closed')];
const uri = `at://${author}/zone.stratos.feed.post/ahead` as AtUri;
const key = 'did:key:author' as DidKey;
const [before, at, after] = [
  '3l3qo2vutsw2a' as Tid,
  '3l3qo2vutsw2b' as Tid,
  '3l3qo2vutsw2c' as Tid,
];
const id = { did: author, nodeDid: node };
const repo = { ...id, commit: 'c', data: 'd' };

let database: TestDatabase;
let owner: PrismaClient;
let gateway: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 1 });
  gateway = createPrismaClient(database.gatewayUrl, { poolSize: 1 });
});
afterAll(async () => {
  await gateway.$disconnect();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

/** A world in which the record of the stub counts. */
beforeEach(async () => {
  await owner.$executeRawUnsafe(
    'truncate stratos_node, stratos_actor, stratos_stub, stratos_enrollment, stratos_membership cascade',
  );
  const leaseUntil = new Date(Date.now() + 60_000);
  for (const did of [node, other]) {
    const log = { membershipSeq: 7n, membershipHead: 'head' };
    await owner.node.create({ data: { did, endpoint: 'http://node.test', leaseUntil, ...log } });
  }
  await member(reader, [open, closed]);
  await member(author, [open, closed]);
  await owner.stub.create({ data: { uri, ...id, subjectCid: 'cid', rev: at } });
  await enroll('self', key);
});

async function member(did: Did, boundaries: Boundary[], nodeDid = node) {
  await owner.membership.create({
    data: {
      ...{ did, nodeDid, active: true, seq: 1n, signingKey: key, issuedAt: new Date() },
      boundaries: { create: boundaries.map((boundary) => ({ boundary })) },
    },
  });
}

async function enroll(rkey: string, signingKey: string, nodeDid = node) {
  const enrolledAt = new Date();
  const facts = { serviceUrl: 'http://node.test', boundaries: [], enrolledAt, rev: at };
  await owner.enrollment.create({ data: { did: author, rkey, nodeDid, signingKey, ...facts } });
}

function readAs<T>(viewer: Did, query: (transaction: PrismaClient) => Promise<T>): Promise<T> {
  return gateway.$transaction(async (transaction) => {
    await openScope(transaction, viewer);
    return query(transaction as PrismaClient);
  });
}

const record: ProvenRecord = {
  ...{ uri, node, cid: 'cid' as Cid, signingKey: key, rev: at, membershipSeq: 7 },
  boundaries: [open],
};

async function counts(given: Partial<ProvenRecord> = {}, viewer = reader): Promise<boolean> {
  const all = [{ ...record, ...given }];
  const counting = await readAs(viewer, (transaction) => countingRecords(transaction, all));
  return counting.size > 0;
}

describe('stubs', () => {
  const found = (viewer: Did) => readAs(viewer, (transaction) => stubsAhead(transaction, [uri]));

  test('are found for whoever has a boundary of their node, with the keys of the author', async () => {
    await enroll('other', 'did:key:new');
    await enroll('elsewhere', 'did:key:elsewhere', other);
    const [stub, ...more] = await found(reader);
    expect(stub).toMatchObject({ uri, node, cid: 'cid', seenAt: expect.any(Date) });
    expect(stub?.signingKeys.toSorted()).toEqual([key, 'did:key:new']);
    expect(more).toEqual([]);
  });

  test('are the same ones, whatever the viewer may read and the author is a member of', async () => {
    const before = await found(reader);
    await owner.membershipBoundary.deleteMany({ where: { boundary: open } });
    await owner.membership.deleteMany({ where: { did: author } });
    expect(await found(reader)).toEqual(before);
  });

  test('are not found by who has none', async () => {
    await member('did:plc:stranger' as Did, [boundaryOf('open', other)], other);
    expect(await found('did:plc:stranger' as Did)).toEqual([]);
    expect(await found('did:plc:nobody' as Did)).toEqual([]);
    await owner.node.update({ where: { did: node }, data: { leaseUntil: new Date(0) } });
    expect(await found(reader)).toEqual([]);
  });
});

describe('the record of a stub counts', () => {
  test('for who shares one of its boundaries, the author too', async () => {
    expect(await counts()).toBe(true);
    expect(await counts({}, author)).toBe(true);
    expect(await counts({ boundaries: [open, closed] })).toBe(true);
  });

  test('when the index is behind, and when it has an older version', async () => {
    await owner.repo.create({ data: { ...repo, rev: before } });
    await owner.tombstone.create({ data: { uri, nodeDid: node, rev: before } });
    const times = { createdAt: new Date(), indexedAt: new Date(), sortAt: new Date() };
    const row = { ...{ ...id, uri, rkey: 'ahead', text: '', rev: before }, ...times };
    await owner.post.create({
      data: { ...row, cid: 'older', record: new Uint8Array(1), boundaries: [open] },
    });
    expect(await counts()).toBe(true);
    await owner.post.updateMany({ data: { cid: 'cid' } });
    expect(await counts()).toBe(false);
  });

  test('when holds and resyncs are of something else', async () => {
    await owner.hold.create({ data: { ...id, streamSeq: 1n, uri: `${uri}2` } });
    await owner.resync.create({ data: { ...id, reason: 'not-continuous' } });
    expect(await counts()).toBe(true);
  });
});

describe('it does not count', () => {
  const given: [string, Partial<ProvenRecord>][] = [
    ['in a boundary that the viewer is not in', { boundaries: [boundaryOf('elsewhere')] }],
    ['without a boundary', { boundaries: [] }],
    ['with one more that its author is not in', { boundaries: [open, boundaryOf('elsewhere')] }],
    ['as another record than the stub names', { cid: 'another' as Cid }],
    ['from another node than the stub names', { node: other }],
    ['at another address', { uri: `${uri}2` as AtUri }],
    ['signed with another key', { signingKey: 'did:key:another' as DidKey }],
    ['when members were decided about since what is applied', { membershipSeq: 8 }],
  ];
  test.each(given)('%s', async (_, facts) => {
    expect(await counts()).toBe(true);
    expect(await counts(facts)).toBe(false);
  });

  test('for who is in none of its boundaries, or not open to read', async () => {
    await owner.membershipBoundary.deleteMany({ where: { did: reader, boundary: open } });
    expect(await counts()).toBe(false);
    expect(await counts({}, 'did:plc:nobody' as Did)).toBe(false);
  });

  const changes: [string, () => Promise<unknown>][] = [
    [
      'when its author has lost the boundary',
      () => owner.membershipBoundary.deleteMany({ where: { did: author, boundary: open } }),
    ],
    [
      'when its author is no longer a member',
      () => owner.membership.updateMany({ where: { did: author }, data: { active: false } }),
    ],
    [
      'when the node states another key',
      () => owner.membership.updateMany({ where: id, data: { signingKey: 'did:key:another' } }),
    ],
    ['when the PDS says nothing of the node', () => owner.enrollment.deleteMany()],
    [
      'when the PDS says another key',
      () => owner.enrollment.updateMany({ data: { signingKey: 'did:key:another' } }),
    ],
    [
      'when the PDS says it of another node',
      () => owner.enrollment.updateMany({ data: { nodeDid: other } }),
    ],
    [
      'when the account is not in use',
      () => owner.actor.create({ data: { did: author, active: false } }),
    ],
    [
      'when the node has forgotten what it told',
      () => owner.node.update({ where: { did: node }, data: { rolledBackAt: new Date() } }),
    ],
    [
      'when the index has come as far as what shows it',
      () => owner.repo.create({ data: { ...repo, rev: at } }),
    ],
    ['when the index is further', () => owner.repo.create({ data: { ...repo, rev: after } })],
    [
      'when it was deleted since',
      () => owner.tombstone.create({ data: { uri, nodeDid: node, rev: at } }),
    ],
    ['when it is about to go', () => owner.hold.create({ data: { ...id, streamSeq: 1n, uri } })],
    [
      'when all of its author is about to go',
      () => owner.hold.create({ data: { ...id, streamSeq: 1n, uri: `at://${author}` } }),
    ],
    [
      'when what is known of the repo is outdated',
      () => owner.resync.create({ data: { ...id, reason: 'outdated' } }),
    ],
    ['when the stub is gone', () => owner.stub.deleteMany()],
    [
      'when the viewer’s node is no longer heard',
      () => owner.node.update({ where: { did: node }, data: { leaseUntil: new Date(0) } }),
    ],
  ];
  test.each(changes)('%s', async (_, change) => {
    expect(await counts()).toBe(true);
    await change();
    expect(await counts()).toBe(false);
  });

  test('in a boundary of another node, though its author and the viewer are in it', async () => {
    const foreign = boundaryOf('open', other);
    await member(reader, [foreign], other);
    await member(author, [foreign], other);
    expect(await counts({ boundaries: [open, foreign] })).toBe(false);
  });
});
