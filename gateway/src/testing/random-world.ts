import type { PrismaClient } from '@stratos/prisma';
import { type AtUri, type Cid, type Did, qualifyBoundary, toCid, toDid } from '@stratos/protocol';
import fc from 'fast-check';
import type { OracleWorld } from './oracle.ts';
import { World } from './world.ts';

export const NODES = ['one', 'two', 'three'].map((name) => toDid(`did:web:${name}.test`));
const NAMES = ['red', 'green', 'blue'];
export const BOUNDARIES = NODES.flatMap((node) => NAMES.map((name) => qualifyBoundary(node, name)));
export const WORDS = ['apple', 'pear', 'plum'];
const GONE = toCid('bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');

/** Which earlier post is meant: with a number that is too high, one that is nowhere. */
const anyReference = fc.option(fc.nat(30), { nil: undefined });

function anyPost(people: readonly Did[]) {
  return fc.record({
    author: fc.constantFrom(...people),
    node: fc.constantFrom(...NODES),
    names: fc.subarray(NAMES, { minLength: 1 }),
    published: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    rkey: fc.nat(8),
    second: fc.nat(10),
    text: fc.subarray(WORDS).map((words) => words.join(' ')),
    parent: anyReference,
    quote: anyReference,
  });
}

/** Small worlds in which a lot meets: people in several nodes, some of which are not heard. */
export function anyWorld(people: readonly Did[]) {
  return fc.record({
    heard: fc.subarray(NODES, { minLength: 1 }),
    inactive: fc.subarray([...people], { maxLength: 1 }),
    members: fc.uniqueArray(
      fc.record({
        did: fc.constantFrom(...people),
        node: fc.constantFrom(...NODES),
        names: fc.subarray(NAMES),
      }),
      { selector: ({ did, node }) => `${did} ${node}`, minLength: 3, maxLength: 12 },
    ),
    suspended: fc.nat(11),
    posts: fc.uniqueArray(anyPost(people), {
      selector: ({ author, node, rkey }) => `${author} ${node} ${rkey}`,
      maxLength: 25,
    }),
  });
}

export type WorldSketch = ReturnType<typeof anyWorld> extends fc.Arbitrary<infer T> ? T : never;

/** Writes a world in place of the one before, and tells the oracle. */
export async function buildWorld(
  prisma: PrismaClient,
  people: readonly Did[],
  sketch: WorldSketch,
): Promise<OracleWorld> {
  await prisma.$executeRawUnsafe(
    'truncate stratos_node, stratos_actor, stratos_stub, stratos_membership, stratos_post cascade',
  );
  const db = new World(prisma);
  const world: OracleWorld = {
    heard: new Set(sketch.heard),
    inactive: new Set(sketch.inactive),
    members: [],
    posts: [],
  };
  for (const node of NODES) {
    const leaseUntil = new Date(Date.now() + (world.heard.has(node) ? 3_600_000 : -1));
    await db.node(node, { leaseUntil });
  }
  for (const did of people) {
    await db.actor(did, { handle: handleOf(did), active: !world.inactive.has(did) });
  }
  for (const [i, { did, node, names }] of sketch.members.entries()) {
    const active = i !== sketch.suspended;
    const boundaries = names.map((name) => qualifyBoundary(node, name));
    world.members.push({ did, node, boundaries, active });
    await db.member(did, node, boundaries, active);
  }
  const written: { uri: AtUri; cid: Cid }[] = [];
  const reference = (number: number | undefined) =>
    number === undefined ? undefined : (written[number % (written.length + 1)] ?? gone(people));
  for (const {
    author,
    node,
    names,
    published,
    rkey,
    second,
    text,
    ...references
  } of sketch.posts) {
    const boundaries = names.map((name) => qualifyBoundary(node, name));
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    const [parent, quote] = [reference(references.parent), reference(references.quote)];
    const { uri, cid } = await db.post({
      ...{ author, node, boundaries, at, text, parent, quote },
      rkey: `r${rkey}`,
      readers: published && !world.inactive.has(author) ? boundaries : [],
    });
    written.push({ uri, cid });
    world.posts.push({
      ...{ uri, author, node, boundaries, published, at, text },
      parent: parent?.uri,
      quote: quote?.uri,
    });
  }
  return world;
}

export function handleOf(did: Did): string {
  return `${did.slice('did:plc:'.length).replaceAll('2', '')}.test`;
}

function gone(people: readonly Did[]): { uri: AtUri; cid: Cid } {
  return { uri: `at://${people[0]}/zone.stratos.feed.post/gone` as AtUri, cid: GONE };
}
