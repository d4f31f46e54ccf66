import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DpopClient } from '../testing/dpop-client.ts';
import { createTestDatabase } from '../testing/test-database.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const STATUS = zone.stratos.enrollment.status.$nsid;
const rei = TestPerson.named('rei');
const PATH = `/xrpc/${STATUS}?did=${rei.did}`;

const opened = new AsyncDisposableStack();
let nodes: [TestNode, TestNode];
beforeAll(async () => {
  const database = opened.use(await createTestDatabase());
  const env = {
    STORAGE_BACKEND: 'postgres',
    STRATOS_POSTGRES_URL: database.url,
    STRATOS_SIGNING_KEY_HEX: 'ab'.repeat(32),
    STRATOS_KEY_ENCRYPTION_KEY: 'a secret that is only of this test',
    STRATOS_IP_RATE_MAX_REQUESTS: '100000',
  };
  const start = async () => opened.use(await TestNode.start({ people: [rei], env }));
  nodes = [await start(), await start()];
  await nodes[0].enroll(rei, [SWORDSMITH]);
});
afterAll(() => opened.disposeAsync());

function ask(node: TestNode, { token }: DpopClient, dpop: string): Promise<Response> {
  return fetch(`${node.url}${PATH}`, { headers: { authorization: `DPoP ${token}`, dpop } });
}

it('take each other’s sessions and nonces', async () => {
  const [first, second] = nodes;
  const client = await DpopClient.signedIn({ url: first.url, person: rei });
  const proof = client.proof(client.claims('GET', PATH));
  expect((await ask(second, client, proof)).status).toBe(200);
});

it('let exactly one of two equal proofs through, wherever they arrive', async () => {
  const [first] = nodes;
  const client = await DpopClient.signedIn({ url: first.url, person: rei });
  for (let trial = 0; trial < 50; trial++) {
    const proof = client.proof(client.claims('GET', PATH));
    const pair = await Promise.all(nodes.map((node) => ask(node, client, proof)));
    expect(pair.map(({ status }) => status).sort()).toEqual([200, 401]);
  }
});

it('learn of another key of the node before they sign memberships', async () => {
  const [first, second] = nodes;
  const rotation = await first.operator(zone.stratos.admin.rotateSigningKey.$nsid, {});
  const { key } = await rotation.json();
  const removal = { did: rei.did, boundary: SWORDSMITH };
  expect((await second.operator(zone.stratos.admin.removeBoundary.$nsid, removal)).status).toBe(
    200,
  );
  expect(second.ctx.nodeKey.did()).toBe(key);
});
