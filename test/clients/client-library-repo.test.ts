import { verifyRepoCar } from '@atproto/repo';
import * as library from '@stratos/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalNetwork, startLocalNetwork } from '../network/src/index.ts';

let network: LocalNetwork;
let dids: library.DidResolver;
beforeAll(async () => {
  network = await startLocalNetwork({ ephemeral: true, ports: 'free', bare: true });
  for (const handle of ['rei.test', 'sakura.test']) await network.createAccount(handle);
  await network.enroll('rei.test', 'swordsmith', ['swordsmith', 'aekea']);
  await network.enroll('rei.test', 'sailors', ['sailors']);
  await network.enroll('sakura.test', 'swordsmith', ['swordsmith']);
  await network.enroll('sakura.test', 'sailors', ['sailors']);
  dids = library.createDidResolver({ plcUrl: network.topology.plcUrl });
}, 240_000);
afterAll(() => network?.[Symbol.asyncDispose]());

type NodeName = 'swordsmith' | 'sailors';

function sessionOf(handle: string, name: NodeName): Promise<library.Session> {
  const { pds } = network.account(handle);
  return library.openNodeSession({ pds, node: network.topology.nodes[name] });
}

/** What somebody gets for stubs, with a session at each node that the stubs name. */
function hydrateAs(handle: string, stubs: library.Stub[]) {
  const { pds } = network.account(handle);
  return library.hydrate(stubs, {
    sessionAt: async ({ node, fragment }) =>
      library.openNodeSession({ pds, node: await library.findNode(node, { dids, fragment }) }),
  });
}

/** Writes a post and waits for its stub. */
async function stubOfNew(name: NodeName, boundary: string, text: string) {
  const session = await sessionOf('rei.test', name);
  const { uri, cid } = await library.writePost(session, { text, boundaries: [boundary] });
  await expect.poll(async () => (await library.findStub(uri, { dids }))?.cid).toBe(cid);
  const stub = await library.findStub(uri, { dids });
  if (!stub) throw new Error('it was there');
  return { session, stub };
}

test('stubs become the records that they name, as far as the person may read them', async () => {
  const shown = await stubOfNew('swordsmith', network.boundary('swordsmith'), '鋼');
  const hidden = await stubOfNew('swordsmith', network.boundary('aekea'), 'not for sakura');
  const elsewhere = await stubOfNew('sailors', network.boundary('sailors'), 'ahoy');
  const stubs = [elsewhere, hidden, shown].map(({ stub }) => stub);
  expect(await hydrateAs('sakura.test', stubs)).toMatchObject([
    { status: 'proven', record: { text: 'ahoy' } },
    { status: 'absent' },
    { status: 'proven', record: { text: '鋼' } },
  ]);

  await library.editPost(shown.session, shown.stub.uri, { text: 'another version' });
  await network.service('sailors').kill();
  expect(await hydrateAs('sakura.test', stubs)).toMatchObject([
    { status: 'failed', error: { name: 'UnreachableError', code: 'Unreachable' } },
    { status: 'absent' },
    { status: 'unproven' },
  ]);
  await network.service('sailors').start();
});

test('whoever leaves is read by nobody else, and still takes their repo with them', async () => {
  const { session, stub } = await stubOfNew(
    'swordsmith',
    network.boundary('swordsmith'),
    'to take along',
  );
  const enrollments = await library.listEnrollments(session.did, { dids });
  const enrollment = enrollments.find(({ node }) => node?.did === session.service.did);
  if (!enrollment) throw new Error('they are enrolled');
  expect(await hydrateAs('sakura.test', [stub])).toMatchObject([{ status: 'proven' }]);

  await library.unenroll(session);
  expect(await hydrateAs('sakura.test', [stub])).toEqual([{ status: 'absent' }]);
  await expect(library.unenroll(session)).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'NotEnrolled',
  });

  let bytes = 0;
  const car = await library.exportRepo(session, { onProgress: (count) => (bytes = count) });
  const whole = new Uint8Array(await new Response(car).arrayBuffer());
  expect(whole.length).toBe(bytes);
  const { creates } = await verifyRepoCar(whole, session.did, enrollment.signingKey);
  expect(creates.map(({ cid }) => cid.toString())).toContain(stub.cid);
  const nodes = async () =>
    (await library.listEnrollments(session.did, { dids })).map(({ node }) => node?.did);
  await expect.poll(nodes, { timeout: 10_000 }).toEqual([network.topology.nodes.sailors.did]);
});
