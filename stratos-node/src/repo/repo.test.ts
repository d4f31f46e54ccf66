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
  type Boundary,
  type Cid,
  type RepoHead,
  recordUri,
  toAtUri,
  toCid,
  verifyCommit,
} from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import { ActorBlockstore } from '../testing/actor-blockstore.ts';
import { StreamClient } from '../testing/stream-client.ts';
import {
  AEKEA,
  isOnPostgres,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { recordProof } from './record-proof.ts';

const collection = zone.stratos.feed.post.$nsid;
const WITHOUT_LIMIT = { STRATOS_WRITE_RATE_MAX_WRITES: '1000000' };

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

it.skipIf(isOnPostgres)('leaves nothing of a deleted record in its files', async () => {
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
  expect(await reachable(node, rei)).toEqual(await stored(node, rei));
});

async function stored(node: TestNode, person: TestPerson): Promise<string[] | undefined> {
  return node.ctx.actors.read(person.did, async (actor) => (await actor.blockCids()).sort());
}

async function reachable(node: TestNode, person: TestPerson): Promise<string[] | undefined> {
  return node.ctx.actors.read(person.did, async (actor) => {
    const root = parseCid((await actor.root())?.cid ?? '');
    const store = new ActorBlockstore(actor);
    const { data } = await store.readObj(root, def.commit);
    const cids = await MST.load(store, data).allCids();
    return [root, ...cids.toList()].map(String).sort();
  });
}

const RKEYS = Array.from('234567abcdefghijklmnopqrstuvwxyz', (char) => `3l7${char}222222222`);
const AUDIENCES = [[SWORDSMITH], [AEKEA], [AEKEA, SWORDSMITH]];

/** A batch: for each of some records, that it is to have a text and audience, or to be gone. */
const batch = fc.uniqueArray(
  fc.record({
    rkey: fc.constantFrom(...RKEYS),
    text: fc.option(fc.nat(5), { freq: 3 }),
    audience: fc.constantFrom(...AUDIENCES),
  }),
  { minLength: 1, maxLength: RKEYS.length, selector: ({ rkey }) => rkey },
);

it('says on the stream, provably, all that happens to a repo and nothing else', async () => {
  const rei = TestPerson.named('rei');
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
      await using node = await TestNode.start({ people: [rei], env: WITHOUT_LIMIT });
      await node.enroll(rei, [SWORDSMITH, AEKEA]);
      const expected = new Map<AtUri, string>();
      for (const wanted of batches) {
        const uris = wanted.map(({ rkey }) => recordUri(rei.did, collection, rkey));
        const writes = wanted.map(({ rkey, text, audience }, i) => {
          const exists = expected.has(uris[i] as AtUri);
          if (text === null) return { action: 'delete', collection, rkey };
          const record = { ...postRecord(`${text}`, audience), createdAt: '2026-01-01T00:00:00Z' };
          return { action: exists ? 'update' : 'create', collection, rkey, record };
        });
        const { results } = await applied(await node.applyWrites(rei, writes));
        for (const [i, { cid }] of results.entries()) {
          if (cid === undefined) expected.delete(uris[i] as AtUri);
          else expected.set(uris[i] as AtUri, cid);
        }
      }
      expect(await replay(node, rei)).toEqual(expected);
      expect(await exported(node, rei)).toEqual(expected);
      expect(await reachable(node, rei)).toEqual(await stored(node, rei));
    }),
    { numRuns: 12 },
  );
});

it('writes two hundred records as one commit, empties the repo by one and goes on', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei], env: WITHOUT_LIMIT });
  await node.enroll(rei, [SWORDSMITH]);
  const head = await node.ctx.service.events.head();
  const creates = Array.from({ length: 200 }, (_, i) => ({
    action: 'create',
    collection,
    record: postRecord(`one of many, ${i}`),
  }));
  const { results } = await applied(await node.applyWrites(rei, creates));
  expect(new Set(results.map(({ uri }) => uri)).size).toBe(200);
  expect(await node.ctx.service.events.head()).toBe(head + 1);
  expect(await node.ctx.service.outbox.count(rei.did)).toBe(201);
  const deletes = results.map(({ uri = '' }) => ({
    action: 'delete',
    collection,
    rkey: rkeyOf(uri),
  }));
  await applied(await node.applyWrites(rei, deletes));
  expect(await node.ctx.service.events.head()).toBe(head + 2);
  expect(await exported(node, rei)).toEqual(new Map());
  const { uri, cid } = await node.createPost(rei, postRecord('once more'));
  expect(await replay(node, rei)).toEqual(new Map([[uri, cid]]));
});

async function applied(response: Response): Promise<{ results: { uri?: string; cid?: string }[] }> {
  const body = await response.json();
  if (!response.ok) throw new Error(`applyWrites: ${response.status} ${JSON.stringify(body)}`);
  return body;
}

/** What somebody who only sees the stream, and believes nothing unproven, ends up with. */
async function replay(node: TestNode, person: TestPerson): Promise<Map<AtUri, string>> {
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const signingKey = await keyOf(node, person);
  const records = new Map<AtUri, string>();
  const audiences = new Map<AtUri, Boundary[] | undefined>();
  let previous: RepoHead | undefined;
  for (const frame of stream.of('#commit')) {
    const verified = await verifyCommit(frame, { service: NODE_DID, signingKey, previous });
    previous = { rev: verified.rev, data: verified.data };
    const told = frame['ops'] as { boundaries?: Boundary[]; prevBoundaries?: Boundary[] }[];
    for (const [i, { uri, cid, prev, record }] of verified.ops.entries()) {
      expect(prev).toBe(records.get(uri));
      expect(told[i]?.prevBoundaries).toEqual(audiences.get(uri));
      if (record) expect(told[i]?.boundaries).toEqual(record.boundaries);
      audiences.set(uri, told[i]?.boundaries);
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
