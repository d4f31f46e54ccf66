import { AtpAgent } from '@atproto/api';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { toBoundary, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startThrowawayAtproto, type ThrowawayAtproto } from '../network/src/throwaway-atproto.ts';

const GRAPHQL = zone.stratos.gateway.graphql.$lxm;
const node = toDid('did:web:node.test');
const open = toBoundary(`${node}/open`);

let atproto: ThrowawayAtproto;
let gateway: TestGateway;
let agent: AtpAgent;
let uri: string;

beforeAll(async () => {
  atproto = await startThrowawayAtproto();
  gateway = await startTestGateway({ STRATOS_PLC_URL: atproto.plcUrl });
  agent = new AtpAgent({ service: atproto.pdsUrl });
  await agent.createAccount({
    handle: 'rei.test',
    email: 'rei@example.test',
    password: 'password',
  });
  const rei = toDid(agent.assertDid);
  await gateway.world.node(node);
  await gateway.world.actor(rei, { handle: 'rei.test' });
  await gateway.world.member(rei, node, [open]);
  ({ uri } = await gateway.world.post({
    author: rei,
    node,
    boundaries: [open],
    rkey: 'first',
    at: new Date(),
  }));
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await atproto?.[Symbol.asyncDispose]();
});

/** Asks the PDS, which passes it on to the gateway in the name of who is signed in there. */
async function throughPds(nsid: string, body?: object | string): Promise<Response> {
  return fetch(`${atproto.pdsUrl}/xrpc/${nsid}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${agent.session?.accessJwt}`,
      'atproto-proxy': `${gateway.did}#stratos_gateway`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

test('GraphQL is answered through a PDS, to who has nothing but a session there', async () => {
  const query =
    'query Mine($first: Int) { viewer { did } timeline(first: $first) { edges { node { uri } } } }';
  const answer = await throughPds(GRAPHQL, {
    query,
    variables: { first: 5 },
    operationName: 'Mine',
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    data: { viewer: { did: agent.assertDid }, timeline: { edges: [{ node: { uri } }] } },
  });
});

test('errors within a query come as GraphQL’s, those of the request as XRPC’s', async () => {
  const within = await throughPds(GRAPHQL, {
    query: '{ timeline(after: "x") { edges { cursor } } }',
  });
  expect(within.status).toBe(200);
  expect(await within.json()).toMatchObject({
    errors: [{ extensions: { code: 'INVALID_CURSOR' } }],
  });
  const costly = `{ ${['a', 'b'].map((name) => `${name}: timeline(first: 100) { edges { node { replies(first: 100) { edges { cursor } } } } }`).join(' ')} }`;
  const refused = await throughPds(GRAPHQL, { query: costly });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: 'InvalidRequest' });
  for (const body of ['nonsense', `{"query":"${'x'.repeat(110_000)}"}`]) {
    const bad = await throughPds(GRAPHQL, body);
    expect([400, 413]).toContain(bad.status);
    expect(await bad.json()).toMatchObject({ error: 'InvalidRequest' });
  }
});

test('the XRPC queries are answered through a PDS, too', async () => {
  const { $nsid } = zone.stratos.feed.getTimeline;
  const answer = await throughPds(`${$nsid}?limit=5`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ feed: [{ post: { uri } }] });
});

test('asked directly, it needs a token for this very method', async () => {
  const ask = (authorization?: string) =>
    fetch(`${gateway.url}/xrpc/${GRAPHQL}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify({ query: '{ viewer { did } }' }),
    });
  const tokenFor = async (lxm: string) => {
    const { data } = await agent.com.atproto.server.getServiceAuth({ aud: gateway.did, lxm });
    return `Bearer ${data.token}`;
  };
  expect((await ask(await tokenFor(GRAPHQL))).status).toBe(200);
  for (const token of [undefined, await tokenFor(zone.stratos.feed.getTimeline.$lxm)]) {
    const refused = await ask(token);
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: 'AuthRequired' });
  }
});

test('subscriptions are not, as a PDS would not pass them on', async () => {
  const refused = await throughPds(GRAPHQL, { query: 'subscription { posts { __typename } }' });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: 'InvalidRequest' });
});
