import type { AtUri } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakePds } from '../testing/fake-pds.ts';
import { provenEntries } from '../testing/proven-entries.ts';
import { StreamClient } from '../testing/stream-client.ts';
import { AEKEA, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const { $nsid } = zone.stratos.admin.takedown;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

let pds: FakePds;
let node: TestNode;
let uri: AtUri;
let cid: string;
beforeEach(async () => {
  pds = await FakePds.start();
  node = await TestNode.start({ people: [rei, sakura], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  const created = await node.createPost(rei, postRecord('the post'));
  uri = created.uri as AtUri;
  cid = created.cid;
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
  await pds[Symbol.asyncDispose]();
});

async function decide(subject: Record<string, string>, applied?: boolean): Promise<number> {
  const body = { ...subject, ref: 'case 7', ...(applied !== undefined && { applied }) };
  return (await node.operator($nsid, body)).status;
}

/** Everything by which somebody could come to read the post, as far as it answers. */
async function sightings(viewer: TestPerson): Promise<string[]> {
  const [, , did = '', , rkey = ''] = uri.split('/');
  const answers: [string, Promise<Response>][] = [
    [
      'getRecord',
      node.query(viewer, com.atproto.repo.getRecord.$nsid, { repo: did, collection, rkey }),
    ],
    [
      'listRecords',
      node.query(viewer, com.atproto.repo.listRecords.$nsid, { repo: did, collection }),
    ],
    ['proof', node.query(viewer, com.atproto.sync.getRecord.$nsid, { did, collection, rkey })],
    ['hydrate', node.query(viewer, zone.stratos.repo.hydrateRecord.$nsid, { uri })],
    ['hydrateAll', node.procedure(viewer, zone.stratos.repo.hydrateRecords.$nsid, { uris: [uri] })],
    ['export', node.query(viewer, zone.stratos.sync.getRepo.$nsid, { did })],
  ];
  const seen = await Promise.all(
    answers.map(async ([name, answer]) => {
      const body = Buffer.from(await (await answer).arrayBuffer());
      return body.includes('the post') ? [name] : [];
    }),
  );
  return seen.flat();
}

async function stubs(person: TestPerson) {
  await node.ctx.outbox.settled(person.did, 10_000);
  const records = pds.recordsOf(person.did).map(({ uri: address }) => address.split('/')[3]);
  return records.sort();
}

const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;
const OWN = ['getRecord', 'listRecords', 'proof', 'hydrate', 'hydrateAll', 'export'];
const OF_OTHERS = ['getRecord', 'listRecords', 'proof', 'hydrate', 'hydrateAll'];

it('takes a record down for everybody, at once and on the stream, and puts it back', async () => {
  expect([await sightings(rei), await sightings(sakura)]).toEqual([OWN, OF_OTHERS]);
  expect(await stubs(rei)).toEqual([ENROLLMENT, collection]);
  expect(await decide({ uri })).toBe(200);
  expect([await sightings(rei), await sightings(sakura)]).toEqual([[], []]);
  expect(await sightings(node.appView)).toEqual([]);
  expect(await stubs(rei)).toEqual([ENROLLMENT]);
  expect(await decide({ uri })).toBe(200);

  const [, , , , rkey = ''] = uri.split('/');
  for (const action of ['create', 'update']) {
    for (const text of ['the post', 'another']) {
      const write = { action, collection, rkey, record: postRecord(text) };
      expect((await node.applyWrites(rei, [write])).status).toBe(400);
    }
  }
  expect(await decide({ uri }, false)).toBe(200);
  expect([await sightings(rei), await sightings(sakura)]).toEqual([OWN, OF_OTHERS]);
  expect(await stubs(rei)).toEqual([ENROLLMENT, collection]);

  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const ops = stream.of('#commit').flatMap(({ did, ops: of }) => {
    return did === rei.did ? (of as { action: string; cid?: unknown; prev?: unknown }[]) : [];
  });
  expect(ops.map(({ action, cid: to }) => [action, to && String(to)])).toEqual([
    ['create', cid],
    ['delete', undefined],
    ['create', cid],
  ]);
  const log = await node.ctx.service.audit.newest(5);
  expect(log.filter(({ action }) => action === $nsid)).toMatchObject([
    { did: rei.did, outcome: 'done', detail: `${uri} put back case 7` },
    { detail: `${uri} taken down case 7` },
    { detail: `${uri} taken down case 7` },
  ]);
});

it('lets the author delete for good what was taken down, and leaves nothing then', async () => {
  expect(await decide({ uri })).toBe(200);
  expect((await node.deletePost(rei, uri)).status).toBe(200);
  expect(await decide({ uri }, false)).toBe(404);
  const [, , , , rkey = ''] = uri.split('/');
  await node.createPost(rei, postRecord('another'), { rkey });
});

it('takes down one of two records with the same content', async () => {
  const record = postRecord('twice');
  const first = await node.createPost(rei, record);
  const second = await node.createPost(rei, record);
  expect(await decide({ uri: first.uri })).toBe(200);
  const [, , did = '', , rkey = ''] = second.uri.split('/');
  const params = { did, collection, rkey };
  expect((await node.query(rei, com.atproto.sync.getRecord.$nsid, params)).status).toBe(200);
  expect((await node.deletePost(rei, second.uri)).status).toBe(200);
  const isStored = await node.ctx.actors.read(rei.did, async (actor) =>
    (await actor.blockCids()).includes(first.cid as never),
  );
  expect(isStored).toBe(false);
  expect(await decide({ uri: first.uri }, false)).toBe(200);
});

it('takes an account down for everybody, its owner as well, and puts it back', async () => {
  await decide({ did: rei.did });
  expect([await sightings(rei), await sightings(sakura)]).toEqual([[], []]);
  expect(await sightings(node.appView)).toEqual([]);
  expect(await stubs(rei)).toEqual([]);
  const refused = await node.tryPost(rei, postRecord('more'));
  expect([refused.status, (await refused.json()).error]).toEqual([403, 'NotEnrolled']);
  await expect(node.enroll(rei, [AEKEA])).rejects.toThrow('taken down');
  const member = await node.createPost(sakura, postRecord('by sakura'));
  const params = { uri: member.uri };
  const other = await node.query(rei, zone.stratos.repo.hydrateRecord.$nsid, params);
  expect(other.status).toBe(404);

  expect(await decide({ did: rei.did }, false)).toBe(200);
  expect([await sightings(rei), await sightings(sakura)]).toEqual([OWN, OF_OTHERS]);
  expect(await stubs(rei)).toEqual([ENROLLMENT, collection]);
  await node.createPost(rei, postRecord('back'));
  const entries = (await provenEntries(node)).filter(({ did }) => did === rei.did);
  expect(entries.map(({ active, boundaries }) => [active, boundaries])).toEqual([
    [true, [SWORDSMITH]],
    [false, []],
    [true, [SWORDSMITH]],
  ]);
});

it('finds the stubs of records whose commits are no longer in the log', async () => {
  expect(await stubs(rei)).toEqual([ENROLLMENT, collection]);
  await node.ctx.actors.write(rei.did, (actor) => actor.forgetEvents(2, 2));
  await decide({ did: rei.did });
  expect(await stubs(rei)).toEqual([]);
  await decide({ did: rei.did }, false);
  expect(await stubs(rei)).toEqual([ENROLLMENT, collection]);
});

it('lets somebody whose account is taken down leave, and stays with its decision', async () => {
  await decide({ did: rei.did });
  const left = await node.procedure(rei, zone.stratos.enrollment.unenroll.$nsid, undefined);
  expect(left.status).toBe(200);
  expect(await sightings(rei)).toEqual([]);
  await expect(node.enroll(rei, [SWORDSMITH])).rejects.toThrow('taken down');
  expect(await decide({ did: rei.did }, false)).toBe(200);
  expect(await sightings(sakura)).toEqual([]);
  expect(await sightings(rei)).toEqual(OWN);
});

it('knows what there is, and is for the operator', async () => {
  expect(await decide({ uri: `${uri}x` })).toBe(404);
  expect(await decide({ did: 'did:plc:nobodyatall22222222222222' })).toBe(404);
  expect(await decide({ did: rei.did, cid })).toBe(404);
  expect(await decide({})).toBe(400);
  expect(await decide({ did: rei.did, uri })).toBe(400);
  expect((await node.procedure(rei, $nsid, { uri })).status).toBe(401);
});
