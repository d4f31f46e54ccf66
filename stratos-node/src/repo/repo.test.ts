import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseCid } from '@atproto/lex-data';
import {
  concatBytesAsync,
  def,
  getFullRepo,
  MST,
  verifyCommitSig,
  verifyProofs,
  verifyRecords,
  verifyRepoCar,
} from '@atproto/repo';
import {
  type AtUri,
  type Cid,
  type RepoHead,
  toAtUri,
  toCid,
  verifyCommit,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import { StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { ActorBlockstore } from './actor-blockstore.ts';
import { recordProof } from './record-proof.ts';

const collection = zone.stratos.feed.post.$nsid;

async function keyOf(node: TestNode, person: TestPerson) {
  const enrollment = await node.ctx.service.enrollments.get(person.did);
  if (!enrollment) throw new Error('not enrolled');
  return enrollment.signingKey;
}

function rkeyOf(uri: string): string {
  return uri.split('/')[4] ?? '';
}

it('proves a record to the judge of the field', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  for (let i = 0; i < 30; i += 1) await node.createPost(rei, postRecord(`filler ${i}`));
  const { uri, cid } = await node.createPost(rei, postRecord('the one'));
  const response = await node.query(rei, com.atproto.sync.getRecord.$nsid, {
    did: rei.did,
    collection,
    rkey: rkeyOf(uri),
  });
  expect(response.headers.get('content-type')).toBe('application/vnd.ipld.car');
  const car = new Uint8Array(await response.arrayBuffer());
  const key = await keyOf(node, rei);
  const claim = { collection, rkey: rkeyOf(uri), cid: parseCid(cid) };
  expect((await verifyProofs(car, [claim], rei.did, key)).verified).toEqual([claim]);
  const records = await verifyRecords(car, rei.did, key);
  expect(records.map(({ record }) => record?.['text'])).toEqual(['the one']);
});

it('signs every commit with the key of the person, the first one too', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const key = await keyOf(node, rei);
  await node.ctx.actors.read(rei.did, async (actor) => {
    const store = new ActorBlockstore(actor);
    const root = await store.getRoot();
    const commit = await store.readObj(root ?? parseCid(''), def.commit);
    expect(commit).toMatchObject({ did: rei.did, version: 3, prev: null });
    expect(await verifyCommitSig(commit, key)).toBe(true);
  });
});

it('keeps repo, key and standing of somebody who enrolls again', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('still here'));
  const before = await node.ctx.service.enrollments.get(rei.did);
  const head = await node.ctx.service.memberships.head();
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  expect(await node.ctx.service.enrollments.get(rei.did)).toEqual(before);
  expect(await node.ctx.service.memberships.head()).toEqual(head);
  const response = await node.query(rei, com.atproto.repo.getRecord.$nsid, {
    repo: rei.did,
    collection,
    rkey: rkeyOf(uri),
  });
  expect(response.status).toBe(200);
});

it('keeps no block of a deleted record, unless another record has the same content', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const twin = postRecord('twice');
  const first = await node.createPost(rei, twin);
  const second = await node.createPost(rei, twin);
  expect(second.cid).toBe(first.cid);
  const isStored = () =>
    node.ctx.actors.read(rei.did, async (actor) => {
      return (await actor.block(toCid(first.cid))) !== undefined;
    });
  expect((await node.deletePost(rei, first.uri)).status).toBe(200);
  expect(await isStored()).toBe(true);
  expect((await node.deletePost(rei, second.uri)).status).toBe(200);
  expect(await isStored()).toBe(false);
});

it('leaves nothing of a deleted record in its files', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('burn after reading'));
  const folder = dirname(actorDatabasePath(node.ctx.config.dataDir, rei.did));
  const isThere = async () => {
    const files = await readdir(folder);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
    return contents.some((content) => content.includes('burn after reading'));
  };
  expect(await isThere()).toBe(true);
  await node.deletePost(rei, uri);
  expect(await isThere()).toBe(false);
});

it('keeps exactly the blocks that its newest commit reaches', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const posts = [];
  for (let i = 0; i < 40; i += 1) posts.push(await node.createPost(rei, postRecord(`post ${i}`)));
  for (const { uri } of posts.filter((_, i) => i % 3 !== 0)) await node.deletePost(rei, uri);
  await node.ctx.actors.read(rei.did, async (actor) => {
    const root = await actor.root();
    const store = new ActorBlockstore(actor);
    const commit = await store.readObj(parseCid(root?.cid ?? ''), def.commit);
    const reachable = (await MST.load(store, commit.data).allCids()).toList().map(String);
    const stored = await actor.blockCids();
    expect([...stored].sort()).toEqual([...reachable, root?.cid ?? ''].sort());
  });
});

/** A step: create a record with a text in some boundaries, or delete the n-th that there is. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ create: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.nat(40) }) },
);

it('says on the stream, provably, all that happens to a repo and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const rei = TestPerson.named('rei');
      await using node = await TestNode.start({ people: [rei] });
      await node.enroll(rei, [SWORDSMITH]);
      const expected = new Map<AtUri, string>();
      for (const next of steps) {
        if ('create' in next) {
          const record = {
            ...postRecord(`text ${next.create}`),
            createdAt: '2026-01-01T00:00:00Z',
          };
          const { uri, cid } = await node.createPost(rei, record);
          expected.set(toAtUri(uri), cid);
        } else {
          const uri = [...expected.keys()][next.remove % Math.max(1, expected.size)];
          if (uri === undefined) continue;
          expect((await node.deletePost(rei, uri)).status).toBe(200);
          expected.delete(uri);
        }
      }
      expect(await replay(node, rei)).toEqual(expected);
      expect(await exported(node, rei)).toEqual(expected);
    }),
    { numRuns: 8 },
  );
});

/** What somebody who only sees the stream, and believes nothing unproven, ends up with. */
async function replay(node: TestNode, person: TestPerson): Promise<Map<AtUri, string>> {
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const signingKey = await keyOf(node, person);
  const records = new Map<AtUri, string>();
  let previous: RepoHead | undefined;
  for (const frame of stream.of('#commit')) {
    const verified = await verifyCommit(frame, { service: NODE_DID, signingKey, previous });
    previous = { rev: verified.rev, data: verified.data };
    for (const { uri, cid } of verified.ops) {
      if (cid === undefined) records.delete(uri);
      else records.set(uri, cid);
    }
  }
  return records;
}

/** What the whole repo holds, as `@atproto/repo` reads it. */
async function exported(node: TestNode, person: TestPerson): Promise<Map<AtUri, string>> {
  const key = await keyOf(node, person);
  const car = await node.ctx.actors.read(person.did, async (actor) => {
    const root = await actor.root();
    return concatBytesAsync(getFullRepo(new ActorBlockstore(actor), parseCid(root?.cid ?? '')));
  });
  const { creates } = await verifyRepoCar(car ?? new Uint8Array(), person.did, key);
  return new Map(
    creates.map(({ collection, rkey, cid }) => [
      toAtUri(`at://${person.did}/${collection}/${rkey}`),
      cid.toString(),
    ]),
  );
}

it('gives no proof for a record that has changed since it was found visible', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const { uri, cid } = await node.createPost(rei, postRecord('gone soon'));
  await node.deletePost(rei, uri);
  const record = { uri: toAtUri(uri), cid: cid as Cid };
  expect(await recordProof(node.ctx.actors, record)).toBeUndefined();
});
