import {
  CarReader,
  decodeRecord,
  qualifyBoundary,
  RepoProof,
  readMembershipEntry,
  SigningKey,
  toDid,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { SignedRepo } from '@stratos/protocol/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './testing/people.ts';
import { provePosts } from './testing/prove-posts.ts';
import { graphql, trpc, xrpc } from './testing/surfaces.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import type { WrittenPost } from './testing/world.ts';

const node = toDid('did:web:node.test');
const nodeKey = SigningKey.generate('secp256k1');
const boundary = (name: string) => qualifyBoundary(node, name);
const [open, closed, other, hidden] = [
  boundary('open'),
  boundary('closed'),
  boundary('other'),
  boundary('hidden'),
];
const COLLECTION = zone.stratos.feed.post.$nsid;

interface Proof {
  uri: string;
  cid: string;
  node: string;
  record: string;
  commit: string;
  signingKey: string;
  membership: string | null;
  stubCid: string | null;
}

let gateway: TestGateway;
const people = {} as Record<'author' | 'friend' | 'neighbour' | 'stranger', Person>;
const tokens = {} as Record<keyof typeof people, string>;
const posts = {} as Record<'open' | 'both' | 'nowhere' | 'unproven', WrittenPost>;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { world } = gateway;
  await world.node(node);
  for (const name of ['author', 'friend', 'neighbour', 'stranger'] as const) {
    people[name] = gateway.people.add(name);
    tokens[name] = await gateway.session(people[name]);
  }
  await world.member(people.friend.did, node, [open, closed, other]);
  await world.member(people.neighbour.did, node, [open]);
  await world.member(people.stranger.did, node, [other]);
  const author = people.author.did;
  const write = (rkey: string, boundaries: (typeof open)[]) =>
    world.post({ author, node, boundaries, rkey });
  posts.open = await write('open', [open]);
  posts.both = await write('both', [open, closed]);
  posts.nowhere = await write('nowhere', [hidden]);
  posts.unproven = await write('unproven', [open]);
  await world.stub({ ...posts.open, author }, node);
  const proven = [posts.open, posts.both, posts.nowhere];
  const crowd = await Promise.all(
    Array.from({ length: 60 }, (_, i) => write(`crowd${i}`, [hidden])),
  );
  await provePosts(world, {
    ...{ author, node, nodeKey },
    boundaries: [closed, open],
    posts: [...proven, ...crowd],
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const FIELDS = 'uri cid node record commit signingKey membership stubCid';

/** What each of the three surfaces gives, all of which say the same. */
async function proofOf(name: keyof typeof people, { uri }: { uri: string }): Promise<Proof | null> {
  const token = tokens[name];
  const query = `query ($uri: AtUri!) { post(uri: $uri) { proof { ${FIELDS} } } }`;
  const overGraphql = JSON.parse((await graphql(gateway.url, token, query, { uri })).body);
  const overTrpc = JSON.parse((await trpc(gateway.url, token, 'postProof', { uri })).body);
  const answer = await xrpc(gateway.url, token, zone.stratos.feed.getPostProof.$nsid, { uri });
  const body = JSON.parse(answer.body);
  const proof: Proof | null = overGraphql.data.post?.proof ?? null;
  expect(overTrpc.result.data).toEqual(proof);
  expect(answer.status).toBe(overGraphql.data.post ? 200 : 404);
  expect(Object.keys(body)).toEqual(
    answer.status === 404 ? ['error', 'message'] : proof ? ['proof'] : [],
  );
  if (proof) {
    const { record, commit, membership, ...rest } = body.proof;
    const bare = (text: string | null) => text?.replaceAll('=', '');
    expect({
      membership: null,
      stubCid: null,
      ...rest,
      ...(membership && { membership: membership.$bytes }),
    }).toEqual({
      ...proof,
      record: undefined,
      commit: undefined,
      membership: bare(proof.membership) ?? null,
    });
    expect([record.$bytes, commit.$bytes]).toEqual([bare(proof.record), bare(proof.commit)]);
  }
  return proof;
}

const bytesOf = (text: string | null | undefined) => Buffer.from(text ?? '', 'base64');

test('who shares all boundaries of a post and its author gets all that shows it', async () => {
  const proof = await proofOf('friend', posts.open);
  const { uri, cid } = posts.open;
  expect(proof).toMatchObject({ uri, cid, node, stubCid: cid });
  expect(await decodeRecord(bytesOf(proof?.record), cid)).toMatchObject({ text: 'open' });
  const options = { service: node, keys: [nodeKey.did()], previous: undefined };
  const { entry } = await verifyMembershipEntry(bytesOf(proof?.membership), options);
  expect(entry).toMatchObject({ did: people.author.did, signingKey: proof?.signingKey });
  const shown = await RepoProof.read(bytesOf(proof?.commit), {
    did: people.author.did,
    signingKeys: [entry.signingKey],
  });
  expect(await shown.cidAt(`${COLLECTION}/open`)).toBe(cid);
});

test('it shows the way to the record and no other', async () => {
  for (const { rkey, uri } of [posts.open, posts.both]) {
    const car = bytesOf((await proofOf('author', { uri }))?.commit);
    const stored = await gateway.world.prisma.proof.findFirstOrThrow();
    const [commit, ...way] = await blocksOf(car);
    const all = await blocksOf(stored.car);
    expect(commit).toBe(all[0]);
    expect(way.length).toBeGreaterThan(0);
    expect(way.length).toBeLessThan(all.length - 1);
    const shown = await RepoProof.read(car, {
      did: people.author.did,
      signingKeys: [stored.signingKey as never],
    });
    await expect(shown.carOf(`${COLLECTION}/${rkey}`)).resolves.toEqual(car);
  }
});

async function blocksOf(car: Uint8Array): Promise<string[]> {
  async function* once() {
    yield car;
  }
  const { reader } = await CarReader.open(once());
  const cids: string[] = [];
  for await (const blocks of reader.blocks())
    cids.push(...blocks.map(({ cid }) => Buffer.from(cid).toString('hex')));
  return cids;
}

describe('boundaries that the viewer does not share', () => {
  test('are not told by the proof of a post: there is none', async () => {
    expect(await proofOf('neighbour', posts.both)).toBeNull();
    expect(await proofOf('friend', posts.both)).not.toBeNull();
    expect(await proofOf('author', posts.both)).not.toBeNull();
  });

  test('are not told by what the node states about the author', async () => {
    expect(await proofOf('neighbour', posts.open)).toMatchObject({ membership: null });
    const { membership } = (await proofOf('author', posts.open)) ?? {};
    expect(readMembershipEntry(bytesOf(membership)).entry.boundaries).toEqual([closed, open]);
  });

  test('are not told, either, where the index says less than what is signed', async () => {
    const { prisma } = gateway.world;
    const where = { uri_nodeDid: { uri: posts.both.uri, nodeDid: node } };
    await prisma.post.update({ where, data: { boundaries: [open] } });
    expect(await proofOf('neighbour', posts.both)).toBeNull();
    await prisma.post.update({ where, data: { boundaries: [open, closed] } });
    const { did } = people.author;
    await prisma.membershipBoundary.delete({ where: { did_boundary: { did, boundary: closed } } });
    expect(await proofOf('neighbour', posts.open)).toMatchObject({ membership: null });
    await prisma.membershipBoundary.create({ data: { did, nodeDid: node, boundary: closed } });
  });
});

test('who may not see a post gets no proof of it, and it looks like one that is not there', async () => {
  const absent = { uri: `${posts.open.uri}2` };
  for (const post of [posts.open, posts.both, posts.nowhere, absent]) {
    expect(await proofOf('stranger', post)).toBeNull();
  }
  expect(await proofOf('author', posts.nowhere)).not.toBeNull();
});

test('there is none for what no proof was kept of', async () => {
  expect(await proofOf('author', posts.unproven)).toBeNull();
});

test('what does not prove it is not given', async () => {
  const { prisma } = gateway.world;
  const { did } = people.author;
  const { signingKey } = await prisma.proof.findFirstOrThrow();
  await prisma.proof.updateMany({ data: { signingKey: SigningKey.generate('P-256').did() } });
  expect(await proofOf('author', posts.open)).toBeNull();
  const { car } = await prisma.proof.findFirstOrThrow();
  const repo = new SignedRepo(did);
  const other = await repo.commit([[`${COLLECTION}/open`, posts.both.cid]]);
  const forged = { car: new Uint8Array(other.car), signingKey: other.signingKey };
  await prisma.proof.updateMany({ data: forged });
  expect(await proofOf('author', posts.open)).toBeNull();
  await prisma.proof.updateMany({ data: { car, signingKey } });
  expect(await proofOf('author', posts.open)).not.toBeNull();
  await prisma.membership.updateMany({ where: { did }, data: { signingKey: nodeKey.did() } });
  expect(await proofOf('author', posts.open)).toMatchObject({ membership: null });
});

test('the proofs of a page are read at once', async () => {
  const { did } = people.author;
  const query = `{ authorFeed(actor: "${did}", first: 50) { edges { node { proof { cid } } } } }`;
  const { body } = await graphql(gateway.url, tokens.author, query);
  const { edges } = JSON.parse(body).data.authorFeed;
  expect(edges.filter(({ node }: { node: { proof: unknown } }) => node.proof)).not.toHaveLength(0);
});
