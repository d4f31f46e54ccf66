import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jsonToLex } from '@atproto/lex-json';
import { parseEnrollmentRecord, parseStub, verifyAttestation } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { FakePds } from '../testing/fake-pds.ts';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { PdsError } from './pds-repo.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it never came to be');
    await sleep(10);
  }
}

const done = (node: TestNode, person: TestPerson) => async () =>
  (await node.ctx.service.outbox.count(person.did)) === 0;

it('writes the enrollment record and stubs, and deletes the stub with the record', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  const { uri, cid } = await node.createPost(rei, postRecord('the text is private'));
  await node.deletePost(rei, uri);
  await until(done(node, rei));
  const [enrollment, stub, removal] = pds.taken;
  expect(pds.taken).toHaveLength(3);
  expect(enrollment).toMatchObject({
    method: 'putRecord',
    repo: rei.did,
    rkey: 'did:web:localhost:3100',
  });
  const record = parseEnrollmentRecord(jsonToLex(enrollment?.record as never));
  const claims = await node.ctx.service.enrollments.get(rei.did);
  expect(record).toMatchObject({ service: 'http://localhost:3100', boundaries: [SWORDSMITH] });
  expect(
    record && claims && verifyAttestation(record.attestation, claims, [node.ctx.nodeKey.did()]),
  ).toBe(true);
  expect(stub).toMatchObject({ method: 'putRecord', collection: zone.stratos.feed.post.$nsid });
  expect(parseStub(stub?.record)).toEqual({ uri, cid, nodeDid: NODE_DID });
  expect(JSON.stringify(stub)).not.toContain('the text is private');
  expect(JSON.stringify(stub)).not.toContain('swordsmith');
  expect(removal).toMatchObject({ method: 'deleteRecord', rkey: stub?.rkey });
});

it('keeps the date of the enrollment when its record is rewritten', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await node.operator(zone.stratos.admin.addBoundary.$nsid, { did: rei.did, boundary: AEKEA });
  await until(done(node, rei));
  const records = pds.taken.map(({ record }) => record);
  expect(records.at(-1)?.['boundaries']).toEqual([{ value: AEKEA }, { value: SWORDSMITH }]);
  expect(new Set(records.map((record) => record?.['createdAt'])).size).toBe(1);
});

it('tries again, in order, until the PDS has taken everything', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  pds.plan.push(500, 'hang up', 429);
  await node.enroll(rei, [SWORDSMITH]);
  const posts = [];
  for (let i = 0; i < 4; i += 1) posts.push(await node.createPost(rei, postRecord(`post ${i}`)));
  await until(done(node, rei));
  expect(pds.taken.map(({ rkey }) => rkey)).toEqual([
    'did:web:localhost:3100',
    ...posts.map(({ uri }) => uri.split('/')[4]),
  ]);
});

it('does not let one person wait for the PDS of another', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei, sakura], findPdsSession: pds.sessions });
  pds.onCall = ({ repo }) => (repo === rei.did ? 'never answer' : undefined);
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.createPost(rei, postRecord('stuck'));
  await node.createPost(sakura, postRecord('fine'));
  await until(done(node, sakura));
  expect(pds.taken.map(({ repo }) => repo)).toEqual([sakura.did, sakura.did]);
  expect(await node.ctx.service.outbox.count(rei.did)).toBe(2);
});

it('does after a restart what it could not do before', async () => {
  await using pds = await FakePds.start();
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  const options = { people: [rei], dataDir, findPdsSession: pds.sessions };
  {
    await using node = await TestNode.start(options);
    pds.onCall = () => 'hang up';
    await node.enroll(rei, [SWORDSMITH]);
    await node.createPost(rei, postRecord('later'));
  }
  expect(pds.taken).toEqual([]);
  pds.onCall = () => undefined;
  {
    await using node = await TestNode.start(options);
    await until(done(node, rei));
  }
  expect(pds.taken.map(({ method }) => method)).toEqual(['putRecord', 'putRecord']);
  await rm(dataDir, { recursive: true });
});

it('puts jobs aside when the session is lost, and takes them up when the person enrolls again', async () => {
  await using pds = await FakePds.start();
  let isLost = false;
  await using node = await TestNode.start({
    people: [rei],
    findPdsSession: async (did) => {
      if (isLost) throw new PdsError('the OAuth session is lost', { isTransient: false });
      return pds.sessions(did);
    },
  });
  await node.enroll(rei, [SWORDSMITH]);
  await until(done(node, rei));
  isLost = true;
  const { uri } = await node.createPost(rei, postRecord('while away'));
  await until(async () => (await node.ctx.service.outbox.head(rei.did))?.parkedReason !== null);
  await node.deletePost(rei, uri);
  isLost = false;
  await node.enroll(rei, [SWORDSMITH]);
  await until(done(node, rei));
  expect(pds.taken.map(({ method }) => method)).toEqual([
    'putRecord',
    'putRecord',
    'deleteRecord',
    'putRecord',
  ]);
});

it('writes no stubs where the operator wants none', async () => {
  await using pds = await FakePds.start();
  const env = { STRATOS_STUBS: 'off' };
  await using node = await TestNode.start({ people: [rei], env, findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  const { uri } = await node.createPost(rei, postRecord('unseen'));
  await node.deletePost(rei, uri);
  await until(done(node, rei));
  expect(pds.taken.map(({ collection }) => collection)).toEqual([
    zone.stratos.actor.enrollment.$nsid,
  ]);
});
