import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it, vi } from 'vitest';
import { FakePds } from '../testing/fake-pds.ts';
import { provenEntries } from '../testing/proven-entries.ts';
import {
  AEKEA,
  postRecord,
  SWORDSMITH,
  TestNode,
  type TestNodeOptions,
  TestPerson,
} from '../testing/test-node.ts';

const { getRecord } = com.atproto.repo;
const { hydrateRecord, hydrateRecords } = zone.stratos.repo;
const collection = zone.stratos.feed.post.$nsid;
const unenroll = zone.stratos.enrollment.unenroll.$nsid;
const status = zone.stratos.enrollment.status.$nsid;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const mika = TestPerson.named('mika');

/** A node on which rei and sakura share a boundary and rei has written. */
async function written(options: TestNodeOptions = {}) {
  const node = await TestNode.start({ people: [rei, sakura, mika], ...options });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  await node.enroll(sakura, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('among us'));
  return { node, uri, rkey: uri.split('/')[4] ?? '' };
}

async function leave(node: TestNode, person: TestPerson): Promise<void> {
  const response = await node.procedure(person, unenroll, {});
  expect([response.status, await response.json()]).toEqual([200, { success: true }]);
}

async function outcome(response: Response): Promise<unknown> {
  const { error } = await response.json();
  return [response.status, error];
}

/** How each way to read a record answers somebody. */
async function reads(node: TestNode, viewer: TestPerson, uri: string, rkey: string) {
  const hydrated = await node.procedure(viewer, hydrateRecords.$nsid, { uris: [uri] });
  return {
    getRecord: (await node.query(viewer, getRecord.$nsid, { repo: rei.did, collection, rkey }))
      .status,
    proof: (
      await node.query(viewer, com.atproto.sync.getRecord.$nsid, { did: rei.did, collection, rkey })
    ).status,
    hydrateRecord: (await node.query(viewer, hydrateRecord.$nsid, { uri })).status,
    hydrated: (await hydrated.json()).records.length,
  };
}
const ALL = { getRecord: 200, proof: 200, hydrateRecord: 200, hydrated: 1 };
const NONE = { getRecord: 404, proof: 404, hydrateRecord: 404, hydrated: 0 };

it('leaves what a person wrote to them alone, at once, until they enroll again', async () => {
  const { node: started, uri, rkey } = await written();
  await using node = started;
  expect(await reads(node, sakura, uri, rkey)).toEqual(ALL);
  await leave(node, rei);
  expect(await reads(node, sakura, uri, rkey)).toEqual(NONE);
  expect(await reads(node, node.appView, uri, rkey)).toEqual(NONE);
  expect(await reads(node, rei, uri, rkey)).toEqual(ALL);
  await node.enroll(rei, [SWORDSMITH]);
  expect(await reads(node, sakura, uri, rkey)).toEqual(ALL);
});

it('takes the memberships of whoever leaves', async () => {
  await using node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('for swordsmiths'));
  await leave(node, sakura);
  expect((await node.query(sakura, hydrateRecord.$nsid, { uri })).status).toBe(404);
});

it('refuses what they would write', async () => {
  const { node: started, uri } = await written();
  await using node = started;
  await leave(node, rei);
  const refused = [403, 'NotEnrolled'];
  expect(await outcome(await node.tryPost(rei, postRecord('too late')))).toEqual(refused);
  expect(await outcome(await node.deletePost(rei, uri))).toEqual(refused);
  expect(await outcome(await node.procedure(rei, unenroll, {}))).toEqual(refused);
});

it('answers about them as about somebody who never enrolled', async () => {
  const { node: started } = await written();
  await using node = started;
  await leave(node, rei);
  for (const viewer of [undefined, sakura, node.appView]) {
    const ask = async ({ did }: TestPerson) => {
      const authorization = await viewer?.authorization(status);
      const response = await node.get(status, { did }, authorization);
      return [response.status, (await response.text()).replaceAll(did, 'DID')];
    };
    expect(await ask(rei)).toEqual(await ask(mika));
  }
});

it('appends an entry, after everything that they wrote, and another when they come back', async () => {
  const { node: started } = await written();
  await using node = started;
  const before = await node.ctx.service.enrollments.get(rei.did);
  await leave(node, rei);
  await node.enroll(rei, [AEKEA]);
  const entries = await provenEntries(node);
  expect(entries).toMatchObject([
    { did: rei.did, active: true, boundaries: [AEKEA, SWORDSMITH] },
    { did: sakura.did, active: true },
    { did: rei.did, active: false, boundaries: [] },
    { did: rei.did, active: true, boundaries: [AEKEA] },
  ]);
  const after = await node.ctx.service.enrollments.get(rei.did);
  expect(after?.signingKey).toBe(before?.signingKey);
  expect(after?.enrolledAt).toBe(before?.enrolledAt);
  expect(entries[3]?.signingKey).toBe(entries[0]?.signingKey);
});

it('puts a write that was not published yet before the entry that ends the membership', async () => {
  const { node: started } = await written();
  await using node = started;
  vi.spyOn(node.ctx.publisher, 'publish').mockRejectedValueOnce(new Error('the disk is full'));
  expect((await node.tryPost(rei, postRecord('half done'))).status).toBe(500);
  await leave(node, rei);
  const events = await node.ctx.service.events.after(0, 100);
  const kinds = events.filter(({ did }) => did === rei.did).map(({ kind }) => kind);
  expect(kinds).toEqual(['membership', 'commit', 'commit', 'commit', 'membership']);
});

it('lets the operator end an enrollment, once, and writes it down', async () => {
  const { node: started, uri, rkey } = await written();
  await using node = started;
  const nsid = zone.stratos.admin.unenroll.$nsid;
  const ended = await node.operator(nsid, { did: rei.did });
  expect(await ended.json()).toEqual({ did: rei.did, enrolled: false });
  expect(await reads(node, sakura, uri, rkey)).toEqual(NONE);
  expect(await outcome(await node.operator(nsid, { did: rei.did }))).toEqual([404, 'NotFound']);
  expect((await node.procedure(rei, nsid, { did: sakura.did })).status).toBe(401);
  expect(await node.ctx.service.audit.newest(3)).toMatchObject([
    { action: nsid, outcome: 'refused' },
    { action: nsid, did: rei.did, outcome: 'done' },
  ]);
});

it('is the same by POST /oauth/revoke, with a token for the method', async () => {
  const { node: started, uri, rkey } = await written();
  await using node = started;
  const revoke = async (authorization?: string) =>
    fetch(`${node.url}/oauth/revoke`, {
      method: 'POST',
      headers: authorization === undefined ? {} : { authorization },
    });
  expect(await outcome(await revoke())).toEqual([401, 'AuthRequired']);
  expect(await outcome(await revoke(await rei.authorization(status)))).toEqual([
    401,
    'AuthRequired',
  ]);
  expect(await reads(node, sakura, uri, rkey)).toEqual(ALL);
  const response = await revoke(await rei.authorization(unenroll));
  expect([response.status, await response.json()]).toEqual([200, { did: rei.did, revoked: true }]);
  expect(await reads(node, sakura, uri, rkey)).toEqual(NONE);
  expect(await outcome(await revoke(await rei.authorization(unenroll)))).toEqual([
    403,
    'NotEnrolled',
  ]);
});

it('takes the enrollment record off the PDS, and only then gives the session back', async () => {
  await using pds = await FakePds.start();
  const ended: [did: string, takenBefore: number][] = [];
  const { node: started } = await written({
    findPdsSession: pds.sessions,
    env: { STRATOS_STUBS: 'off' },
    endPdsSession: async (did) => void ended.push([did, pds.takenOf(rei.did).length]),
  });
  await using node = started;
  await leave(node, rei);
  await node.ctx.outbox.settled(rei.did, 10_000);
  expect(ended).toEqual([[rei.did, pds.takenOf(rei.did).length]]);
  expect(pds.takenOf(rei.did).at(-1)).toMatchObject({
    method: 'deleteRecord',
    collection: zone.stratos.actor.enrollment.$nsid,
    rkey: 'did:web:localhost:3100',
  });
});

it('takes the stubs along, and brings back those of records that are still there', async () => {
  await using pds = await FakePds.start();
  const { node: started, uri } = await written({ findPdsSession: pds.sessions });
  await using node = started;
  const { uri: regretted } = await node.createPost(rei, postRecord('regretted'));
  await node.deletePost(rei, regretted);
  await node.ctx.outbox.settled(rei.did, 10_000);
  const before = pds.recordsOf(rei.did);
  expect(before.map((record) => record.uri)).toContain(uri);
  expect(before).toHaveLength(2);
  await leave(node, rei);
  await node.ctx.outbox.settled(rei.did, 10_000);
  expect(pds.recordsOf(rei.did)).toEqual([]);
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
  await node.ctx.outbox.settled(rei.did, 10_000);
  const uris = pds.recordsOf(rei.did).map((record) => record.uri);
  expect(uris.sort()).toEqual(before.map((record) => record.uri).sort());
  expect(pds.recordsOf(rei.did)).toContainEqual(before.find((record) => record.uri === uri));
});

it('keeps the session of somebody who is back before it was given back', async () => {
  await using pds = await FakePds.start();
  const ended: string[] = [];
  const { node: started } = await written({
    findPdsSession: pds.sessions,
    env: { STRATOS_STUBS: 'off' },
    endPdsSession: async (did) => void ended.push(did),
  });
  await using node = started;
  await node.ctx.outbox.settled(rei.did, 10_000);
  pds.onCall = () => 500;
  await leave(node, rei);
  await node.enroll(rei, [SWORDSMITH]);
  pds.onCall = () => undefined;
  await node.ctx.outbox.settled(rei.did, 20_000);
  expect(ended).toEqual([]);
  expect(pds.takenOf(rei.did).at(-1)).toMatchObject({
    method: 'putRecord',
    record: { boundaries: [{ value: SWORDSMITH }] },
  });
});
