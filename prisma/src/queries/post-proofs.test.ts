import { randomBytes } from 'node:crypto';
import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaClient, type PrismaClient } from '../index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { openScope, postProofs } from './index.ts';

const node = 'did:web:node.test' as Did;
const [author, reader] = ['did:plc:author' as Did, 'did:plc:reader' as Did];
const [open, closed] = [`${node}/open` as Boundary, `${node}/closed` as Boundary];
const names = ['open', 'both', 'unread'] as const;
const uriOf = (name: string) => `at://${author}/zone.stratos.feed.post/${name}` as AtUri;

let database: TestDatabase;
let owner: PrismaClient;
let gateway: PrismaClient;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 1 });
  gateway = createPrismaClient(database.gatewayUrl, { poolSize: 1 });
  const now = new Date();
  const id = { did: author, nodeDid: node };
  const leaseUntil = new Date(Date.now() + 60_000);
  await owner.node.create({ data: { did: node, endpoint: 'http://node.test', leaseUntil } });
  await member(reader, [open]);
  await member(author, [open]);
  const proof = {
    rev: '3l3qo2vutsw2b',
    commit: 'c',
    signingKey: 'did:key:test',
    car: new Uint8Array(1),
  };
  await owner.proof.create({ data: { ...id, ...proof } });
  for (const name of names) {
    const boundaries = name === 'both' ? [open, closed] : [open];
    const readers = name === 'unread' ? [] : boundaries;
    const copied = { sortAt: now, cid: name, indexedAt: now };
    await owner.post.create({
      data: {
        ...{ ...id, uri: uriOf(name), cid: name, rkey: name, rev: proof.rev, boundaries, text: '' },
        ...{ createdAt: now, indexedAt: now, sortAt: now, proofRev: proof.rev },
        record: new Uint8Array(randomBytes(8)),
        readers: { create: readers.map((boundary) => ({ boundary, did: author, ...copied })) },
      },
    });
  }
});
afterAll(async () => {
  await gateway.$disconnect();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});

async function member(did: string, boundaries: string[]) {
  const entry = new Uint8Array(4);
  const data = {
    did,
    nodeDid: node,
    active: true,
    seq: 1n,
    signingKey: 'did:key:test',
    issuedAt: new Date(),
  };
  await owner.membership.create({
    data: { ...data, entry, boundaries: { create: boundaries.map((boundary) => ({ boundary })) } },
  });
}

/** Of which posts somebody gets proofs, and whether with what the node states. */
async function proofsFor(viewer: typeof reader) {
  const found = await gateway.$transaction(async (transaction) => {
    await openScope(transaction, viewer);
    return postProofs(
      transaction,
      names.map((name) => ({ uri: uriOf(name), node })),
    );
  });
  return Object.fromEntries(found.map(({ cid, entry }) => [cid, entry !== null]));
}

test('others get the proofs of what is in no boundary but theirs, and is to be read', async () => {
  expect(await proofsFor(reader)).toEqual({ open: true });
  expect(await proofsFor(author)).toEqual({ open: true, both: true, unread: true });
  expect(await proofsFor('did:plc:stranger' as Did)).toEqual({});
});

test('others get no statement that names a boundary that they do not share, or of who left', async () => {
  await owner.membershipBoundary.create({ data: { did: author, nodeDid: node, boundary: closed } });
  expect(await proofsFor(reader)).toEqual({ open: false });
  expect(await proofsFor(author)).toEqual({ open: true, both: true, unread: true });
  await owner.membershipBoundary.deleteMany({ where: { boundary: closed } });
  const where = { did_nodeDid: { did: author, nodeDid: node } };
  await owner.membership.update({ where, data: { active: false } });
  expect(await proofsFor(reader)).toEqual({ open: false });
});

test('nobody gets any before the transaction says for whom', async () => {
  const posts = names.map((name) => ({ uri: uriOf(name), node }));
  expect(await gateway.$transaction((transaction) => postProofs(transaction, posts))).toEqual([]);
});
