import { readCar, verifyRepoCar } from '@atproto/repo';
import {
  decodeRecord,
  parseStub,
  qualifyBoundary,
  type SigningKey,
  type Tid,
  toCid,
  toDid,
  verifyCommit,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unenroll } from '../enrollment/unenroll.ts';
import { runErasure } from '../erasure/run-erasure.ts';
import { treeRoot } from '../repo/build-commit.ts';
import { MovingWorld } from '../testing/moving-world.ts';
import { StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  type TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const OTHER_DID = toDid('did:web:localhost%3A3200');
const THERE = qualifyBoundary(OTHER_DID, 'swordsmith');
const rei = TestPerson.named('rei');

let world: MovingWorld;
beforeEach(async () => {
  world = await MovingWorld.of([rei]);
});
afterEach(() => world[Symbol.asyncDispose]());

async function write(node: TestNode, count: number, boundaries: readonly string[]) {
  const did = node.ctx.config.serviceDid;
  const { $nsid: nsid } = com.atproto.repo.applyWrites;
  for (let start = 0; start < count; start += 200) {
    const writes = Array.from({ length: Math.min(200, count - start) }, (_, i) => ({
      action: 'create',
      collection,
      record: postRecord(`number ${start + i}`, boundaries),
    }));
    const authorization = await rei.authorization(nsid, did);
    const response = await node.post(nsid, { repo: rei.did, writes }, authorization);
    if (!response.ok) throw new Error(await response.text());
  }
}

async function rootOfTree(node: TestNode): Promise<string> {
  return String(await node.ctx.actors.read(rei.did, (actor) => treeRoot(actor)));
}

async function keyOf(node: TestNode): Promise<SigningKey> {
  const key = await node.ctx.actors.read(rei.did, (actor) => node.ctx.actorKeys.of(actor));
  if (!key) throw new Error('no repo');
  return key;
}

/** What an AppView that believes nothing unproven makes of the stream. */
async function replayed(node: TestNode): Promise<Map<string, string>> {
  const nsid = zone.stratos.sync.subscribeService.$nsid;
  const authorization = await node.appView.authorization(nsid, node.ctx.config.serviceDid);
  await using stream = await StreamClient.openWith(node, authorization, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const signingKey = (await keyOf(node)).did();
  const service = node.ctx.config.serviceDid;
  let previous: { rev: Tid; data: ReturnType<typeof toCid> } | undefined;
  const records = new Map<string, string>();
  for (const frame of stream.of('#commit')) {
    const { rev, data, ops } = await verifyCommit(frame, { service, signingKey, previous });
    previous = { rev, data };
    for (const { uri, cid, record } of ops) {
      expect(record?.boundaries.length).toBeGreaterThan(0);
      if (cid) records.set(uri, cid);
    }
  }
  return records;
}

it('moves a repo to a new backend of the same node, commit by commit, and ends at the same root', async () => {
  const source = await world.node();
  await source.enroll(rei, [SWORDSMITH]);
  await write(source, 450, [SWORDSMITH]);
  const car = await world.exported(source, rei);
  const root = await rootOfTree(source);
  await source.ctx.outbox.settled(rei.did, 10_000);
  const target = await world.node(NODE_DID, {
    env: { STRATOS_SIGNING_KEY_HEX: Buffer.from(source.ctx.nodeKey.export()).toString('hex') },
    findPdsSession: async () => Promise.reject(new Error('kept from writing')),
  });
  await target.enroll(rei, [SWORDSMITH]);
  const response = await world.imported(target, rei, car.slice());
  const answer = await response.json();
  expect([response.status, answer]).toMatchObject([200, { imported: 450 }]);
  expect(await rootOfTree(target)).toBe(root);
  expect((await replayed(target)).size).toBe(450);
  const again = await world.exported(target, rei);
  const { creates, commit } = await verifyRepoCar(again, rei.did, (await keyOf(target)).did());
  expect([creates.length, String(commit.cid)]).toEqual([450, answer.commit]);
  const stored = await target.ctx.actors.read(rei.did, (actor) => actor.blockCids());
  const { blocks } = await readCar(again);
  expect(new Set(stored)).toEqual(new Set(blocks.cids().map(String)));
  expect(await target.ctx.service.outbox.count(rei.did)).toBeGreaterThan(450);
  expect(await (await world.imported(target, rei, car.slice())).json()).toEqual(answer);
  await write(target, 1, [SWORDSMITH]);
  const late = await world.imported(target, rei, car.slice());
  expect([late.status, (await late.json()).error]).toEqual([400, 'RepoAlreadyExists']);
});

it('moves a repo to another node, with the boundaries that it has there', async () => {
  const source = await world.node();
  await source.enroll(rei, [SWORDSMITH, AEKEA]);
  await write(source, 30, [SWORDSMITH]);
  await source.ctx.outbox.settled(rei.did, 10_000);
  const car = await world.exported(source, rei);
  const target = await world.node(OTHER_DID);
  await target.enroll(rei, [THERE]);
  const from = { source: NODE_DID };
  const unmapped = await world.imported(target, rei, car.slice(), from);
  expect([unmapped.status, (await unmapped.json()).error]).toEqual([400, 'InvalidBoundary']);
  const boundaries = [`${SWORDSMITH}=${THERE}`];
  const response = await world.imported(target, rei, car.slice(), { ...from, boundaries });
  expect(await response.json()).toMatchObject({ imported: 30 });
  expect(response.status).toBe(200);
  const before = await verifyRepoCar(car, rei.did, (await keyOf(source)).did());
  const after = await world.exported(target, rei);
  const { creates } = await verifyRepoCar(after, rei.did, (await keyOf(target)).did());
  expect(creates.map(({ rkey }) => rkey)).toEqual(before.creates.map(({ rkey }) => rkey));
  const { blocks } = await readCar(after);
  for (const { cid } of creates) {
    const bytes = blocks.get(cid) ?? new Uint8Array();
    const { boundary } = await decodeRecord(bytes, toCid(cid.toString()));
    expect(boundary).toMatchObject({ values: [{ value: THERE }] });
  }
  expect((await replayed(target)).size).toBe(30);

  await target.ctx.outbox.settled(rei.did, 10_000);
  await unenroll(source.ctx, rei.did);
  await source.ctx.outbox.settled(rei.did, 10_000);
  const stubs = world.pds.recordsOf(rei.did).flatMap(({ value }) => parseStub(value) ?? []);
  expect(stubs.map(({ nodeDid }) => nodeDid)).toEqual(Array(30).fill(OTHER_DID));
});

it('takes back what somebody exported before they left and were erased', async () => {
  const node = await world.node();
  await node.enroll(rei, [SWORDSMITH]);
  await write(node, 3, [SWORDSMITH]);
  const car = await world.exported(node, rei);
  await unenroll(node.ctx, rei.did);
  expect(await runErasure(node.ctx, new Date(Date.now() + 31 * 86_400_000))).toBe(1);
  await node.enroll(rei, [SWORDSMITH]);
  expect((await world.imported(node, rei, car.slice())).status).toBe(200);
});
