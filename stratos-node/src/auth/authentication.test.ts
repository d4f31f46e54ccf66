import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SigningKey } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import {
  ADMIN_PASSWORD,
  NODE_DID,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';

const nsid = zone.stratos.enrollment.status.$nsid;
const rei = TestPerson.named('rei');
const params = { did: rei.did };

async function outcome(response: Response): Promise<unknown> {
  const { error } = await response.json();
  return [response.status, error, response.headers.get('www-authenticate')];
}
const REFUSED = [401, 'AuthRequired', 'Bearer'];

it('accepts a token for this node and method once, also across a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  const authorization = await rei.authorization(nsid);
  {
    await using node = await TestNode.start({ people: [rei], dataDir });
    expect((await node.get(nsid, params, authorization)).status).toBe(200);
    expect(await outcome(await node.get(nsid, params, authorization))).toEqual(REFUSED);
  }
  await using node = await TestNode.start({ people: [rei], dataDir });
  expect(await outcome(await node.get(nsid, params, authorization))).toEqual(REFUSED);
  await rm(dataDir, { recursive: true });
});

it('lets exactly one of many simultaneous uses of a token through', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const authorization = await rei.authorization(nsid);
  const uses = Array.from({ length: 10 }, () => node.get(nsid, params, authorization));
  const statuses = (await Promise.all(uses)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
});

it('refuses tokens for another method, another service, or by another key', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const impostor = new TestPerson(rei.did, SigningKey.generate('secp256k1'));
  const stranger = TestPerson.named('stranger');
  for (const authorization of [
    await rei.authorization(com.atproto.repo.getRecord.$nsid),
    await rei.authorization(nsid, 'did:web:elsewhere.example.com'),
    await impostor.authorization(nsid),
    await stranger.authorization(nsid),
    'Bearer nonsense',
    'Basic nonsense',
  ]) {
    expect(await outcome(await node.get(nsid, params, authorization))).toEqual(REFUSED);
  }
});

it('says nothing of a request to somebody who cannot prove who they are', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const method = com.atproto.repo.createRecord.$nsid;
  expect(await outcome(await node.post(method, {}))).toEqual(REFUSED);
  const query = zone.stratos.repo.hydrateRecord.$nsid;
  expect(await outcome(await node.get(query, {}))).toEqual(REFUSED);
  const response = await node.get(query, {}, await rei.authorization(query));
  expect(await outcome(response)).toEqual([400, 'InvalidRequest', null]);
});

it('takes a token whose audience names a service of this node', async () => {
  await using node = await TestNode.start({ people: [rei] });
  const authorization = await rei.authorization(nsid, `${NODE_DID}#atproto_pns`);
  expect((await node.get(nsid, params, authorization)).status).toBe(200);
});

it('tells boundaries, key and attestation to the person and to named AppViews alone', async () => {
  const sakura = TestPerson.named('sakura');
  await using node = await TestNode.start({ people: [rei, sakura] });
  await node.enroll(rei, [SWORDSMITH]);
  const publicAnswer = await (await node.get(nsid, params)).json();
  expect(Object.keys(publicAnswer).sort()).toEqual(['active', 'did', 'enrolled', 'enrolledAt']);
  expect(await (await node.query(sakura, nsid, params)).json()).toEqual(publicAnswer);
  for (const privy of [rei, node.appView]) {
    const answer = await (await node.query(privy, nsid, params)).json();
    expect(answer).toMatchObject({ ...publicAnswer, boundaries: [{ value: SWORDSMITH }] });
    expect(answer.attestation.sig.$bytes).toBeDefined();
  }
});

it('lets nobody but the operator change memberships, and writes down who tried', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const add = zone.stratos.admin.removeBoundary.$nsid;
  const body = { did: rei.did, boundary: SWORDSMITH };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  for (const wrong of [
    undefined,
    basic('admin:wrong'),
    basic(`root:${ADMIN_PASSWORD}`),
    'Bearer wrong',
  ]) {
    const response = await node.post(add, body, wrong);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="admin"',
    ]);
  }
  expect((await node.post(add, body, `Bearer ${ADMIN_PASSWORD}`)).status).toBe(200);
  expect((await node.post(add, body, await rei.authorization(add))).status).toBe(401);
  const limited = await node.post(add, body, basic(`admin:${ADMIN_PASSWORD}`));
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  const outcomes = (await node.ctx.service.audit.newest(10)).map((entry) => entry.outcome);
  expect(outcomes).toEqual(['refused', 'done', 'refused', 'refused', 'refused', 'refused']);
});

it('has no operator without a password', async () => {
  await using node = await TestNode.start({ people: [rei], env: { STRATOS_ADMIN_PASSWORD: '' } });
  const add = zone.stratos.admin.addBoundary.$nsid;
  const body = { did: rei.did, boundary: SWORDSMITH };
  for (const empty of ['Bearer ', `Basic ${Buffer.from('admin:').toString('base64')}`]) {
    expect((await node.post(add, body, empty)).status).toBe(401);
  }
});
