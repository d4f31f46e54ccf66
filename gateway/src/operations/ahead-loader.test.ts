import { randomBytes } from 'node:crypto';
import { createPrismaClient, type PrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase, statementsOf, type TestDatabase } from '@stratos/prisma/testing';
import {
  type AtUri,
  type Boundary,
  boundaryName,
  type Did,
  qualifyBoundary,
  toDid,
} from '@stratos/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readFor } from '../access/scope.ts';
import { Cursors } from '../feeds/cursors.ts';
import { createAuthorLoader } from '../hydration/authors.ts';
import { NodeCalls } from '../hydration/nodes/node-calls.ts';
import { createProvenRecords } from '../hydration/nodes/proven-records.ts';
import { createLogger } from '../logger.ts';
import { STUB_FAULTS, type StubFacts, StubWorld } from '../testing/stub-world.ts';
import { World } from '../testing/world.ts';
import { createAheadLoader } from './ahead-loader.ts';
import { ViewerOperations } from './operations.ts';

const NODES = ['one', 'two'].map((name) => toDid(`did:web:${name}.test`));
const PEOPLE = ['viewer', 'ada', 'bea'].map((name) => toDid(`did:plc:${name}`));
const NAMES = ['red', 'green'];
const [viewer, ada] = PEOPLE as [Did, Did];
const [node, other] = NODES as [Did, Did];
const [red, green] = NAMES.map((name) => qualifyBoundary(node, name)) as [Boundary, Boundary];

const logger = createLogger('silent');
const cursors = new Cursors(randomBytes(32));

let database: TestDatabase;
let owner: PrismaClient;
let reads: ReadPool;
let world: StubWorld;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = createPrismaClient(database.url, { poolSize: 2 });
  reads = new ReadPool(database.gatewayUrl, { poolSize: 4, keepsPlans: true });
  world = new StubWorld(owner);
});
afterAll(async () => {
  await reads[Symbol.asyncDispose]();
  await owner.$disconnect();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => world.clear());

/** The gateway with nothing in memory. */
function operations(of = viewer): ViewerOperations {
  const ahead = createProvenRecords({ client: world, calls: new NodeCalls(logger) });
  return new ViewerOperations(of, { reads, cursors, logger, counter: { refused: 0 }, ahead });
}

const post = (uri: AtUri, of = viewer) => operations(of).post({ uri });

/** A post for which a node is asked while somebody loses boundaries. */
function postWhile(uri: AtUri, lost: { did: Did; boundary?: Boundary }) {
  const client = {
    shownRecords: async (...args: Parameters<typeof world.shownRecords>) => {
      await owner.membershipBoundary.deleteMany({ where: lost });
      return world.shownRecords(...args);
    },
  };
  const ahead = createProvenRecords({ client, calls: new NodeCalls(logger) });
  const options = { reads, cursors, logger, counter: { refused: 0 }, ahead };
  return new ViewerOperations(viewer, options).post({ uri });
}

/** A world in which the viewer and ada are members of both boundaries of a node. */
async function shared() {
  await world.node(node);
  await world.members([viewer, ada].map((did) => ({ did, node, boundaries: [red, green] })));
}

async function stub(facts: Partial<StubFacts> = {}) {
  const whole = { author: ada, node, boundaries: [red], rkey: 'ahead', ...facts };
  const [written] = await world.stubs([whole]);
  if (!written) throw new Error('one was written');
  return written;
}

describe('a post whose stub came before its content', () => {
  beforeEach(shared);

  test('is answered by its address, and at its node alone', async () => {
    const { uri, cid } = await stub();
    const seenAt = await owner.stub.findFirstOrThrow();
    expect(await post(uri)).toMatchObject({
      ...{ uri, cid, node, text: 'ahead', boundaries: [red] },
      author: { did: ada, handle: 'handle.invalid' },
      indexedAt: seenAt.seenAt.toISOString(),
    });
    expect((await operations().postAt({ uri, node }))?.cid).toBe(cid);
    expect(await operations().postAt({ uri, node: other })).toBeNull();
    expect(await post(uri, ada)).toMatchObject({ cid });
  });

  test('shows no boundary that the viewer does not share', async () => {
    await owner.membershipBoundary.deleteMany({ where: { did: viewer, boundary: green } });
    const { uri } = await stub({ boundaries: [red, green] });
    const seen = await post(uri);
    expect(seen?.boundaries).toEqual([red]);
    expect(JSON.stringify(seen)).not.toContain(green);
    expect((await post(uri, ada))?.boundaries).toEqual([green, red]);
  });

  test('is in no timeline and no quote', async () => {
    const quote = await stub();
    await new World(owner).post({ author: ada, node, boundaries: [red], rkey: 'quoting', quote });
    const of = operations();
    const { edges } = await of.timeline({});
    expect(edges.map(({ node }) => node.text)).toEqual(['quoting']);
    const [quoting] = edges;
    expect(quoting && (await of.quoted(quoting.node))).toBeNull();
    expect(world.calls).toEqual([]);
  });

  test('has its ancestors, in the index and ahead of it', async () => {
    const indexed = await new World(owner).post({
      ...{ author: ada, node, boundaries: [red], rkey: 'indexed' },
    });
    const [parent] = await world.stubs([
      { author: ada, node, boundaries: [red], rkey: 'parent', parent: indexed },
    ]);
    const [leaf] = await world.stubs([
      { author: ada, node, boundaries: [green], rkey: 'leaf', parent },
    ]);
    const thread = leaf && (await operations().thread({ uri: leaf.uri }));
    expect(thread?.post.text).toBe('leaf');
    expect(thread?.ancestors.map(({ text }) => text)).toEqual(['indexed', 'parent']);
    const low = leaf && (await operations().thread({ uri: leaf.uri, height: 1 }));
    expect(low?.ancestors.map(({ text }) => text)).toEqual(['parent']);
  });

  test('is asked for above what the index has, a few steps up', async () => {
    let parent = await stub({ rkey: 'p0' });
    for (const n of [1, 2, 3]) parent = await stub({ rkey: `p${n}`, parent });
    const reply = await new World(owner).post({
      ...{ author: ada, node, boundaries: [red], rkey: 'reply', parent },
    });
    const thread = await operations().thread({ uri: reply.uri });
    expect(thread?.ancestors.map(({ text }) => text)).toEqual(['p1', 'p2', 'p3']);
  });

  test('that is hidden costs what one that is shown does, and what is not at the node', async () => {
    const { uri } = await stub();
    const cost = async () => {
      world.calls.length = 0;
      const statements = await statementsOf(() => post(uri));
      return { statements, calls: [...world.calls] };
    };
    const shown = await cost();
    expect(shown.calls).toEqual([{ node, uris: [uri] }]);
    const id = { did: ada, nodeDid: node };
    for (const hide of [
      () => owner.hold.create({ data: { ...id, streamSeq: 1n, uri } }),
      () => owner.membershipBoundary.deleteMany({ where: { did: viewer, boundary: red } }),
      () => owner.membershipBoundary.deleteMany({ where: { did: ada } }),
      () => owner.membership.updateMany({ where: id, data: { active: false } }),
      () => owner.membership.deleteMany({ where: id }),
    ]) {
      await hide();
      expect(await cost()).toEqual(shown);
      expect(await post(uri)).toBeNull();
    }
  });

  test('is not asked for by who has no boundary of the node', async () => {
    const { uri } = await stub();
    expect(await post(uri, toDid('did:plc:nobody'))).toBeNull();
    expect(world.calls).toEqual([]);
  });

  test('is decided about as of after the node has answered', async () => {
    const { uri } = await stub();
    expect(await postWhile(uri, { did: viewer })).toBeNull();
  });

  test('shows no boundary that the viewer has lost while the node was asked', async () => {
    const { uri } = await stub({ boundaries: [red, green] });
    const seen = await postWhile(uri, { did: viewer, boundary: green });
    expect(seen?.boundaries).toEqual([red]);
    expect(JSON.stringify(seen)).not.toContain(green);
  });

  test('is decided about anew for each who asks for what is in memory', async () => {
    const { uri, cid } = await stub();
    const ahead = createProvenRecords({ client: world, calls: new NodeCalls(logger) });
    const options = { reads, cursors, logger, counter: { refused: 0 }, ahead };
    const ask = () => new ViewerOperations(viewer, options).post({ uri });
    expect((await ask())?.cid).toBe(cid);
    await owner.membershipBoundary.deleteMany({ where: { did: viewer, boundary: red } });
    expect(await ask()).toBeNull();
    expect(world.calls).toHaveLength(1);
  });
});

test('a node is asked once for a hundred stubs', async () => {
  await shared();
  await world.node(other);
  const yellow = qualifyBoundary(other, 'yellow');
  await world.members([viewer, ada].map((did) => ({ did, node: other, boundaries: [yellow] })));
  const stubs = await world.stubs(
    Array.from({ length: 130 }, (_, n) => [
      { author: ada, node, boundaries: [red], rkey: `one${n}` },
      { author: ada, node: other, boundaries: [yellow], rkey: `two${n}` },
    ]).flat(),
  );
  const read = readFor(reads, viewer);
  const records = createProvenRecords({ client: world, calls: new NodeCalls(logger) });
  const authors = createAuthorLoader(reads);
  const loader = createAheadLoader(read, { authors, records, logger });
  const uris = stubs.map(({ uri }) => uri);
  const posts = await loader.loadMany(uris);
  expect(posts.flat().map((one) => 'uri' in one && one.uri)).toEqual(uris);
  expect(world.calls.map((call) => `${call.node} ${call.uris.length}`).sort()).toEqual([
    `${node} 100`,
    `${node} 30`,
    `${other} 100`,
    `${other} 30`,
  ]);
});

const NEVER = { weight: 5, arbitrary: fc.constant(undefined) };
const seldom = fc.integer({ min: 0, max: 7 }).map((n) => n === 0);

const anyWorld = fc.record({
  unheard: fc.oneof(NEVER, fc.constantFrom(...NODES)),
  dead: fc.oneof(NEVER, fc.constantFrom(...NODES)),
  inactive: fc.oneof(NEVER, fc.constantFrom(...PEOPLE)),
  members: fc.tuple(
    ...NODES.flatMap((of) =>
      PEOPLE.map((did) =>
        fc.record({
          did: fc.constant(did),
          node: fc.constant(of),
          names: fc.oneof({ weight: 2, arbitrary: fc.constant(NAMES) }, fc.subarray(NAMES)),
          active: seldom.map((isGone) => !isGone),
          enrolled: fc.oneof(
            { weight: 6, arbitrary: fc.constant('same' as const) },
            fc.constantFrom('another-key' as const, 'no' as const),
          ),
          applied: seldom,
        }),
      ),
    ),
  ),
  stubs: fc.array(
    fc.record({
      author: fc.constantFrom(...PEOPLE),
      node: fc.constantFrom(...NODES),
      names: fc.subarray(NAMES),
      foreign: seldom,
      fault: fc.oneof(
        { weight: 2, arbitrary: fc.constant(undefined) },
        fc.constantFrom(...STUB_FAULTS),
      ),
    }),
    { minLength: 1, maxLength: 25 },
  ),
});

test('whatever nodes and authors do, just those are shown that would be if they came by the stream', async () => {
  let shown = 0;
  await fc.assert(
    fc.asyncProperty(anyWorld, async ({ unheard, dead, inactive, members, stubs }) => {
      await world.clear();
      for (const did of NODES) await world.node(did, { isHeard: did !== unheard });
      if (dead) world.dead.add(dead);
      if (inactive) await owner.actor.create({ data: { did: inactive, active: false } });
      const qualify = (of: Did, names: string[]) => names.map((name) => qualifyBoundary(of, name));
      await world.members(
        members.map((member) => ({ ...member, boundaries: qualify(member.node, member.names) })),
      );
      const written = await world.stubs(
        stubs.map(({ author, node: at, names, foreign, fault }, n) => {
          const elsewhere = NODES.find((did) => did !== at) ?? at;
          const boundaries = qualify(at, names).concat(foreign ? qualify(elsewhere, ['red']) : []);
          return { author, node: at, boundaries, rkey: `r${n}`, ...(fault && { fault }) };
        }),
      );

      const memberOf = (did: Did, at: Did) =>
        members.find((member) => member.did === did && member.node === at);
      const expected = stubs.map(({ author, node: at, names, foreign, fault }) => {
        const [theirs, mine] = [memberOf(author, at), memberOf(viewer, at)];
        const open = at !== unheard && mine?.active ? mine.names : [];
        const shared = names.filter((name) => open.includes(name));
        const counts =
          theirs?.active === true &&
          theirs.enrolled === 'same' &&
          !theirs.applied &&
          names.every((name) => theirs.names.includes(name)) &&
          author !== inactive;
        const isGiven = at !== dead && fault === undefined && !foreign;
        return counts && isGiven && shared.length > 0 ? shared.toSorted() : null;
      });
      const uris = written.map(({ uri }) => uri);
      const seen = await operations().posts({ uris });
      const namesOf = (boundaries: readonly Boundary[]) =>
        boundaries.map((boundary) => boundaryName(boundary)).sort();
      expect(seen.map((one) => one && namesOf(one.boundaries))).toEqual(expected);
      expect(seen.every((one, n) => !one || one.cid === written[n]?.cid)).toBe(true);
      // Who does not answer is asked a second time.
      const calls = world.calls.filter((call) => call.node !== dead).length;
      expect(calls).toBeLessThanOrEqual(NODES.length * Math.ceil(uris.length / 100));
      expect(world.calls.length - calls).toBeLessThanOrEqual(2);
      shown += expected.filter((names) => names !== null).length;
    }),
    { numRuns: 60 },
  );
  expect(shown).toBeGreaterThan(5);
});
