import { readdir, readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCid } from '@atproto/lex-data';
import { readCar, verifyRepoCar } from '@atproto/repo';
import { com, zone } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Slots } from '../limits/slots.ts';
import { actorDatabasePath } from '../storage/sqlite/actor-storage.ts';
import { APPVIEW_DID, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { exportStream } from './export-stream.ts';

const { $nsid } = zone.stratos.sync.getRepo;
const isSqlite = process.env['STRATOS_TEST_STORAGE'] !== 'postgres';
const collection = zone.stratos.feed.post.$nsid;
const WITHOUT_LIMIT = { STRATOS_WRITE_RATE_MAX_WRITES: '1000000' };

const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';
/** The nth of some record keys. */
const rkeyAt = (n: number) => `3l777777777${ALPHABET[n >> 5]}${ALPHABET[n & 31]}`;

async function exported(node: TestNode, caller: TestPerson, did: string, since?: string) {
  const response = await node.query(caller, $nsid, { did, ...(since && { since }) });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/vnd.ipld.car');
  return new Uint8Array(await response.arrayBuffer());
}

/** An export of which nothing has been read but the headers. */
async function begun(node: TestNode, person: TestPerson): Promise<IncomingMessage> {
  const authorization = await person.authorization($nsid);
  const url = `${node.url}/xrpc/${$nsid}?did=${person.did}`;
  return new Promise((resolve, reject) => {
    request(url, { headers: { authorization } }, resolve).on('error', reject).end();
  });
}

async function keyOf(node: TestNode, person: TestPerson) {
  const enrollment = await node.ctx.service.enrollments.get(person.did);
  if (!enrollment) throw new Error('not enrolled');
  return enrollment.signingKey;
}

async function rootOf(node: TestNode, person: TestPerson) {
  const root = await node.ctx.actors.read(person.did, (actor) => actor.root());
  if (!root) throw new Error('no repo');
  return root;
}

it('exports exactly what the newest commit reaches, commit first, whatever was written', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei], env: WITHOUT_LIMIT });
  await node.enroll(rei, [SWORDSMITH]);
  const rkeys = fc.integer({ min: 0, max: 40 }).map(rkeyAt);
  const steps = fc.array(fc.record({ rkey: rkeys, text: fc.string(), gone: fc.boolean() }), {
    minLength: 1,
    maxLength: 25,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (writes) => {
      for (const { rkey, text, gone } of writes) {
        if (gone) await node.deletePost(rei, `at://${rei.did}/${collection}/${rkey}`);
        else {
          const body = { repo: rei.did, collection, rkey, record: postRecord(text) };
          const put = await node.procedure(rei, com.atproto.repo.putRecord.$nsid, body);
          expect(put.status).toBe(200);
        }
      }
      const { cid } = await rootOf(node, rei);
      const car = await exported(node, rei, rei.did);
      const { roots, blocks } = await readCar(car);
      expect(roots.map(String)).toEqual([cid]);
      expect(String(blocks.entries()[0]?.cid)).toBe(cid);
      const { creates } = await verifyRepoCar(car, rei.did, await keyOf(node, rei));
      const reachable = new Set((await node.ctx.actors.read(rei.did, (a) => a.blockCids())) ?? []);
      expect(new Set(blocks.cids().map(String))).toEqual(reachable);
      expect(creates.every(({ cid: record }) => blocks.has(record))).toBe(true);
    }),
    { numRuns: 8 },
  );
});

it('sends what is newer than a revision, and nothing else for one of the future', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const old = await node.createPost(rei, postRecord('old'));
  const { rev } = await rootOf(node, rei);
  const young = await node.createPost(rei, postRecord('young'));
  const newer = await readCar(await exported(node, rei, rei.did, rev));
  expect(newer.blocks.has(parseCid(young.cid))).toBe(true);
  expect(newer.blocks.has(parseCid(old.cid))).toBe(false);
  const all = await readCar(await exported(node, rei, rei.did, '2222222222222'));
  expect(all.blocks.has(parseCid(old.cid))).toBe(true);
  const none = await readCar(await exported(node, rei, rei.did, 'zzzzzzzzzzzzz'.replace('z', 'j')));
  expect(none.blocks.cids().map(String)).toEqual([(await rootOf(node, rei)).cid]);
});

it('is for the owner and named AppViews, and the same 404 for all others', async () => {
  const [rei, sakura] = [TestPerson.named('rei'), TestPerson.named('sakura')];
  await using node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.createPost(rei, postRecord('mine'));
  await exported(node, node.appView, rei.did);
  const forbidden = await node.query(sakura, $nsid, { did: rei.did });
  const unknown = await node.query(sakura, $nsid, { did: TestPerson.named('nobody').did });
  expect([forbidden.status, unknown.status]).toEqual([404, 404]);
  expect(await forbidden.text()).toBe(await unknown.text());
  expect((await node.get($nsid, { did: rei.did })).status).toBe(401);

  await node.procedure(rei, zone.stratos.enrollment.unenroll.$nsid, undefined);
  await exported(node, rei, rei.did);
  expect((await node.query(node.appView, $nsid, { did: rei.did })).status).toBe(404);
});

it('is of one moment, holds up no writer, and ends when the client goes away', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei], env: WITHOUT_LIMIT });
  await node.enroll(rei, [SWORDSMITH]);
  const writes = (from: number) =>
    Array.from({ length: 10 }, (_, i) => ({
      action: 'create',
      collection,
      rkey: rkeyAt(from + i),
      record: { ...postRecord(`this is number ${from + i} of many`), padding: 'x'.repeat(20_000) },
    }));
  for (let i = 0; i < 200; i += 10) {
    const response = await node.applyWrites(rei, writes(i), { validate: false });
    expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
  }
  const before = await rootOf(node, rei);
  const response = await begun(node, rei);
  response.pause();
  await node.createPost(rei, postRecord('written meanwhile'));
  await node.deletePost(rei, `at://${rei.did}/${collection}/${rkeyAt(0)}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const car = new Uint8Array(Buffer.concat(chunks));
  const { creates, commit } = await verifyRepoCar(car, rei.did, await keyOf(node, rei));
  expect(creates).toHaveLength(200);
  expect(String(commit.cid)).toBe(before.cid);
  const folder = dirname(actorDatabasePath(node.ctx.config.dataDir, rei.did));
  const isThere = async () => {
    const files = await readdir(folder);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
    return contents.some((content) => content.includes('this is number 0 of many'));
  };
  if (isSqlite) await expect.poll(isThere).toBe(false);

  for (let i = 0; i < 12; i += 1) {
    const left = await begun(node, rei);
    left.destroy();
    await sleep(20);
  }
  await exported(node, rei, rei.did);
});

it('stops in the middle when its caller may read no more', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  let isMember = true;
  const slot = new Slots({ total: 1, perCaller: 1 }).take(rei.did);
  const options = { since: undefined, slot, mayGoOn: async () => isMember };
  const car = await exportStream(node.ctx, rei.did, options);
  isMember = false;
  await expect(car?.toArray()).rejects.toThrow('The repo could not be found');
});

it('bounds how many are under way', async () => {
  const slots = new Slots({ total: 3, perCaller: 2 });
  const rei = TestPerson.named('rei').did;
  const first = slots.take(rei);
  slots.take(rei);
  expect(() => slots.take(rei)).toThrow('Too many');
  slots.take(APPVIEW_DID);
  expect(() => slots.take(TestPerson.named('sakura').did)).toThrow('Too many');
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  slots.take(rei);
  expect(() => slots.take(rei)).toThrow('Too many');
});
