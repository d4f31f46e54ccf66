import { enrollmentRkey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalNetwork, procedure, startLocalNetwork } from '../network/src/index.ts';
import { eventually } from './eventually.ts';
import { type SeenPost, SURFACES } from './surfaces.ts';

const OTHERS = ['sakura.test', 'haruki.test'];

const collection = zone.stratos.actor.enrollment.$nsid;

let network: LocalNetwork;
let gateway: string;

beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free' });
  gateway = network.topology.gateway.url;
});
afterAll(() => network?.[Symbol.asyncDispose]());

async function timelines(handle: string): Promise<SeenPost[][]> {
  const { token } = await network.gatewaySession(handle);
  return Promise.all(SURFACES.map((surface) => surface.timeline(gateway, token)));
}

/** What the PDS of a person says of their enrollment with the node, under whatever keys. */
async function enrollmentRecords(handle: string) {
  const { did, pds } = network.account(handle);
  const { data } = await pds.com.atproto.repo.listRecords({ repo: did, collection });
  return data.records
    .filter(({ value }) => value['service'] === network.topology.nodes.swordsmith.url)
    .map(({ uri, value }) => {
      const { attestation: _, ...signed } = value;
      return { rkey: uri.split('/').at(-1), value, signed };
    });
}

/** The addresses of the stubs that a person has on their PDS. */
async function stubs(handle: string): Promise<string[]> {
  const { did: repo, pds } = network.account(handle);
  const stub = { repo, collection: zone.stratos.feed.post.$nsid, limit: 100 };
  const { data } = await pds.com.atproto.repo.listRecords(stub);
  return data.records.map(({ uri }) => uri).sort();
}

async function unenroll(handle: string): Promise<void> {
  const { did: audience, url } = network.topology.nodes.swordsmith;
  const lxm = zone.stratos.enrollment.unenroll.$nsid;
  const token = await network.serviceAuth(handle, { audience, lxm });
  await procedure(url, lxm, {}, { authorization: `Bearer ${token}` });
}

it('takes a person and what they wrote from everybody’s sight, and brings all of it back', async () => {
  const before = new Map<string, SeenPost[]>();
  for (const handle of ['rei.test', ...OTHERS]) {
    const [timeline = []] = await timelines(handle);
    expect(timeline.map(({ author }) => author)).toContain('rei.test');
    before.set(handle, timeline);
  }
  const [recordBefore, ...others] = await enrollmentRecords('rei.test');
  expect(recordBefore?.rkey).toBe(enrollmentRkey(network.topology.nodes.swordsmith.did));
  expect(others).toEqual([]);
  const stubsBefore = await stubs('rei.test');
  expect(stubsBefore.length).toBeGreaterThan(0);

  await unenroll('rei.test');
  await eventually(async () => {
    for (const timeline of await timelines('rei.test')) expect(timeline).toEqual([]);
    for (const handle of OTHERS) {
      const rest = before.get(handle)?.filter(({ author }) => author !== 'rei.test');
      for (const timeline of await timelines(handle)) expect(timeline).toEqual(rest);
    }
  });
  await eventually(async () => {
    expect(await enrollmentRecords('rei.test')).toEqual([]);
    expect(await stubs('rei.test')).toEqual([]);
  });
  await expect(network.post('rei.test', ['swordsmith'], 'Too late.')).rejects.toMatchObject({
    code: 'NotEnrolled',
  });

  const { did: repo, pds } = network.account('rei.test');
  const older = { repo, collection, rkey: 'self', record: recordBefore?.value ?? {} };
  await pds.com.atproto.repo.putRecord(older);
  await network.enroll('rei.test', 'swordsmith', ['swordsmith']);
  await eventually(async () => {
    for (const [handle, timeline] of before) {
      for (const seen of await timelines(handle)) expect(seen).toEqual(timeline);
    }
  });
  await eventually(async () => {
    const [{ rkey, signed } = {}, ...more] = await enrollmentRecords('rei.test');
    expect({ rkey, signed }).toEqual({ rkey: recordBefore?.rkey, signed: recordBefore?.signed });
    expect(more).toEqual([]);
    expect(await stubs('rei.test')).toEqual(stubsBefore);
  });
  await network.post('rei.test', ['swordsmith'], 'Back at the forge.');
  await eventually(async () => {
    const [seen] = await timelines('sakura.test');
    expect(seen?.map(({ text }) => text)).toContain('Back at the forge.');
  });
});
