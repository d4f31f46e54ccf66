import { gzipSync } from 'node:zlib';
import { encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, type LexMap, parseCid } from '@atproto/lex-data';
import type { BlockMap } from '@atproto/repo';
import { qualifyBoundary, SigningKey, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockCid, type Forged, forged, put } from '../testing/forged-car.ts';
import { MovingWorld } from '../testing/moving-world.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  type TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const THERE = qualifyBoundary(toDid('did:web:localhost%3A3200'), 'swordsmith');
const rei = TestPerson.named('rei');

let world: MovingWorld;
beforeEach(async () => {
  world = await MovingWorld.of([rei]);
});
afterEach(() => world[Symbol.asyncDispose]());

const made = (car: Omit<Forged, 'did'>) => forged({ did: rei.did, ...car });

async function keyOf(node: TestNode): Promise<SigningKey> {
  const key = await node.ctx.actors.read(rei.did, (actor) => node.ctx.actorKeys.of(actor));
  if (!key) throw new Error('no repo');
  return key;
}

const PATH = `${collection}/3l7777777772a`;
const SECOND = `${collection}/3l7777777772b`;

it('refuses every CAR that is not what it must be, and changes nothing', async () => {
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH]);
  const key = await keyOf(node);
  const good = { [PATH]: postRecord('good') };
  const stateOf = async () =>
    JSON.stringify([
      await node.ctx.actors.read(rei.did, async (actor) => [
        await actor.blockCids(),
        await actor.root(),
      ]),
      await node.ctx.service.events.head(),
      await node.ctx.service.outbox.list({ did: undefined, parkedOnly: false, after: 0, limit: 9 }),
    ]);
  await node.ctx.outbox.settled(rei.did, 10_000);
  const before = await stateOf();
  const whole = await made({ records: good, key });
  const entry = (path: string, value: CidLink, p = 0) => ({
    p,
    k: Buffer.from(path).subarray(p),
    v: value,
    t: null,
  });
  const anyRecord = (blocks: BlockMap) => put(blocks, postRecord('x') as LexMap);
  const cars: Record<string, [error: string, car: Uint8Array]> = {
    nothing: ['InvalidCar', new Uint8Array([0])],
    'cut off': ['InvalidCar', whole.slice(0, -10)],
    'cut off between blocks': ['InvalidCar', whole.slice(0, 60)],
    'two roots': ['InvalidCar', await made({ records: good, key, roots: 2 })],
    'no root': ['InvalidCar', await made({ records: good, key, roots: 0 })],
    'somebody else': [
      'InvalidCar',
      await made({ records: good, key, commit: { did: 'did:plc:other' } }),
    ],
    'an unknown key': [
      'InvalidCar',
      await made({ records: good, key: SigningKey.generate('P-256') }),
    ],
    'an old version': ['InvalidCar', await made({ records: good, key, commit: { version: 2 } })],
    'a further field': ['InvalidCar', await made({ records: good, key, commit: { more: 1 } })],
    'keys out of order': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) => {
          const v = anyRecord(blocks);
          return put(blocks, { l: null, e: [entry(SECOND, v), entry(PATH, v)] });
        },
      }),
    ],
    'a key twice': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) => {
          const v = anyRecord(blocks);
          return put(blocks, { l: null, e: [entry(PATH, v), entry(PATH, v)] });
        },
      }),
    ],
    'no shared prefix': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) => {
          const v = anyRecord(blocks);
          return put(blocks, { l: null, e: [entry(PATH, v), entry(SECOND, v)] });
        },
      }),
    ],
    'a node too many': [
      'InvalidCar',
      await made({
        records: good,
        key,
        nodes: ({ blocks, data }) => put(blocks, { l: data, e: [] }),
      }),
    ],
    'a missing node': [
      'InvalidCar',
      await made({
        key,
        nodes: () => blockCid(encode({ l: null, e: [], lost: true })),
      }),
    ],
    'a node that is none': [
      'InvalidCar',
      await made({ key, nodes: ({ blocks }) => put(blocks, { text: 'a node' }) }),
    ],
    'a missing record': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) =>
          put(blocks, { l: null, e: [entry(PATH, blockCid(encode({ not: 'there' })))] }),
      }),
    ],
    'a record in another order': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) => {
          const bytes = disordered(postRecord('x'));
          blocks.set(blockCid(bytes), bytes);
          return put(blocks, { l: null, e: [entry(PATH, blockCid(bytes))] });
        },
      }),
    ],
    'a key without a record key': [
      'InvalidCar',
      await made({
        key,
        nodes: ({ blocks }) => put(blocks, { l: null, e: [entry(collection, anyRecord(blocks))] }),
      }),
    ],
    'a boundary elsewhere': [
      'InvalidBoundary',
      await made({ records: { [PATH]: postRecord('x', [THERE]) }, key }),
    ],
    'a boundary of others': [
      'ForbiddenBoundary',
      await made({ records: { ...good, [SECOND]: postRecord('x', [AEKEA]) }, key }),
    ],
    'no boundary': ['InvalidRecord', await made({ records: { [PATH]: postRecord('x', []) }, key })],
    'a stub': [
      'InvalidRecord',
      await made({ records: { [PATH]: { ...postRecord('x'), source: {} } }, key }),
    ],
    'a large record': [
      'InvalidRecord',
      await made({ records: { [PATH]: { ...postRecord('x'), more: 'x'.repeat(200_000) } }, key }),
    ],
    'another collection': [
      'InvalidCollection',
      await made({ records: { 'app.bsky.feed.post/3l7777777772a': postRecord('x') }, key }),
    ],
    'an unknown blob': [
      'InvalidRecord',
      await made({
        records: {
          [PATH]: {
            ...postRecord('x'),
            more: {
              $type: 'blob',
              ref: parseCid('bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'),
              mimeType: 'image/png',
              size: 3,
            },
          },
        },
        key,
      }),
    ],
  };
  for (const [what, [error, car]] of Object.entries(cars)) {
    const response = await world.imported(node, rei, new Uint8Array(car));
    expect([what, response.ok, (await response.json()).error]).toEqual([what, false, error]);
    expect(await stateOf()).toBe(before);
  }
  expect((await world.imported(node, rei, whole)).status).toBe(200);
});

it('lets no reply go further than its parent, wherever in the tree that is', async () => {
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  const key = await keyOf(node);
  const repo = (boundary: string) => ({
    [SECOND]: postRecord('the parent', [SWORDSMITH]),
    [PATH]: { ...postRecord('the reply', [boundary]), reply: replyTo(`at://${rei.did}/${SECOND}`) },
  });
  const wider = await world.imported(node, rei, await made({ key, records: repo(AEKEA) }));
  expect([wider.status, (await wider.json()).error]).toEqual([400, 'InvalidRecord']);
  const within = await made({ key, records: repo(SWORDSMITH) });
  expect((await world.imported(node, rei, within)).status).toBe(200);
});

/** The map in DAG-CBOR, but for its keys: the longest comes first. */
function disordered(record: LexMap): Uint8Array {
  const entries = Object.entries(record).sort(([a], [b]) => b.length - a.length);
  const items = entries.flatMap(([key, value]) => [encode(key), encode(value ?? null)]);
  return new Uint8Array(Buffer.concat([Uint8Array.of(0xa0 | entries.length), ...items]));
}

function replyTo(uri: string) {
  const cid = blockCid(encode({ any: 'record' })).toString();
  return { root: { uri, cid }, parent: { uri, cid } };
}

it('accepts no CAR with a byte that was changed, wherever', async () => {
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH]);
  const records = Object.fromEntries(
    [PATH, SECOND].map((path) => [path, postRecord(`at ${path}`)]),
  );
  const car = await made({ records, key: await keyOf(node) });
  const flips = fc.tuple(fc.nat({ max: car.length - 1 }), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(flips, async ([at, bits]) => {
      const flipped = car.slice();
      flipped[at] = (flipped[at] ?? 0) ^ bits;
      const response = await world.imported(node, rei, flipped);
      expect([response.status, (await response.json()).error]).toEqual([400, 'InvalidCar']);
    }),
    { numRuns: 150 },
  );
  expect((await world.imported(node, rei, car)).status).toBe(200);
});

it('is bounded in size, however it is packed, and for the enrolled alone', async () => {
  const node = await world.node(NODE_DID, { env: { STRATOS_IMPORT_MAX_BYTES: '100000' } });
  const car = await made({ key: SigningKey.generate('P-256') });
  expect((await (await world.imported(node, rei, car)).json()).error).toBe('NotEnrolled');
  await node.enroll(rei, [SWORDSMITH]);
  const large = new Uint8Array(200_000);
  expect((await world.imported(node, rei, large)).status).toBe(413);
  const many = await made({
    key: await keyOf(node),
    nodes: ({ data, blocks }) => {
      for (let i = 0; i < 500; i += 1) put(blocks, { padding: `${i}`.padStart(50_000) });
      return data;
    },
  });
  const bomb = new Uint8Array(gzipSync(many));
  expect(bomb.length).toBeLessThan(100_000);
  expect((await world.imported(node, rei, bomb, { encoding: 'gzip' })).status).toBe(413);
  const packed = new Uint8Array(
    gzipSync(await made({ records: { [PATH]: postRecord('packed') }, key: await keyOf(node) })),
  );
  expect((await world.imported(node, rei, packed, { encoding: 'gzip' })).status).toBe(200);
});
