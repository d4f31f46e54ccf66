import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AtpAgent } from '@atproto/api';
import { Client as LexClient, type Query } from '@atproto/lex';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { toBoundary, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startThrowawayAtproto, type ThrowawayAtproto } from '../network/src/throwaway-atproto.ts';

const LEXICONS = join(import.meta.dirname, '../../lexicons/zone/stratos');
const node = toDid('did:web:node.test');
const boundary = toBoundary(`${node}/open`);

let atproto: ThrowawayAtproto;
let gateway: TestGateway;
let agent: AtpAgent;
let viaApi: AtpAgent;
let viaLex: LexClient;
let uris: string[];

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
  const { world } = gateway;
  await world.node(node);
  await world.actor(rei, { handle: 'rei.test' });
  await world.member(rei, node, [boundary]);
  const facts = { author: rei, node, boundaries: [boundary] };
  const root = await world.post({ ...facts, rkey: 'root', at: new Date(0), text: 'a blade' });
  const reply = await world.post({ ...facts, rkey: 'reply', at: new Date(1000), parent: root });
  const quoting = await world.post({ ...facts, rkey: 'quoting', at: new Date(2000), quote: root });
  uris = [quoting, reply, root].map(({ uri }) => uri);
  await openClients();
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await atproto?.[Symbol.asyncDispose]();
});

/** Both have nothing but the session at the PDS, and name the gateway by its DID. */
async function openClients(): Promise<void> {
  viaLex = new LexClient(
    { fetchHandler: (path, init) => agent.fetchHandler(path, init) },
    { headers: { 'atproto-proxy': `${gateway.did}#stratos_gateway` } },
  );
  viaApi = agent.withProxy('stratos_gateway', gateway.did);
  for (const file of await readdir(LEXICONS, { recursive: true })) {
    if (file.endsWith('.json'))
      viaApi.lex.add(JSON.parse(await readFile(join(LEXICONS, file), 'utf8')));
  }
}

type Asked = Record<string, string | number | boolean | string[]>;

/** Each query of the gateway, with what it is asked. */
const QUERIES: [Query, () => Asked][] = [
  [zone.stratos.gateway.getViewer.main, () => ({})],
  [zone.stratos.feed.getTimeline.main, () => ({ limit: 2, counts: true })],
  [zone.stratos.feed.getAuthorFeed.main, () => ({ actor: 'rei.test' })],
  [zone.stratos.feed.searchPosts.main, () => ({ text: 'blade' })],
  [zone.stratos.feed.getPost.main, () => ({ uri: uris[0] ?? '' })],
  [zone.stratos.feed.getPosts.main, () => ({ uris })],
  [zone.stratos.feed.getPostProof.main, () => ({ uri: uris[0] ?? '' })],
  [zone.stratos.feed.getPostThread.main, () => ({ uri: uris[1] ?? '' })],
  [zone.stratos.feed.getReplies.main, () => ({ uri: uris[2] ?? '' })],
  [zone.stratos.actor.getProfile.main, () => ({ actor: agent.assertDid })],
  [zone.stratos.boundary.listBoundaries.main, () => ({})],
  [zone.stratos.boundary.getBoundary.main, () => ({ boundary })],
  [zone.stratos.node.getNode.main, () => ({ did: node })],
];

test.each(QUERIES.map(([method, params]) => [method.nsid, method, params] as const))(
  '%s is answered alike to both, as its lexicon says',
  async (nsid, method, params) => {
    const checked = await viaLex.call(method, params());
    const { data } = await viaApi.call(nsid, params());
    expect(withoutCursors(checked)).toEqual(withoutCursors(data));
  },
);

/** No two cursors are alike, even for the same place. */
function withoutCursors(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value) => (/cursor$/i.test(key) ? '' : value));
}

test('the timeline is paged through', async () => {
  const first = await viaLex.call(zone.stratos.feed.getTimeline, { limit: 2 });
  const { cursor } = first;
  const next = await viaLex.call(zone.stratos.feed.getTimeline, { limit: 2, cursor });
  expect([...first.feed, ...next.feed].map(({ post }) => post.uri)).toEqual(uris);
  expect(next.cursor).toBeUndefined();
});

test('a query of GraphQL is a procedure', async () => {
  const query = '{ viewer { did } }';
  const body = { query };
  const data = { viewer: { did: agent.assertDid } };
  expect(await viaLex.call(zone.stratos.gateway.graphql, body)).toMatchObject({ data });
  const answer = await viaApi.call(zone.stratos.gateway.graphql.$nsid, undefined, body);
  expect(answer.data).toMatchObject({ data });
});

test('failures keep their names and statuses', async () => {
  const params = { uri: `at://${toDid(agent.assertDid)}/zone.stratos.feed.post/none` } as const;
  const failure = { status: 404, error: 'RecordNotFound' };
  const { $nsid } = zone.stratos.feed.getPost;
  await expect(viaApi.call($nsid, params)).rejects.toMatchObject(failure);
  const { error, response } = await viaLex
    .call(zone.stratos.feed.getPost, params)
    .catch((thrown) => thrown);
  expect({ error, status: response.status }).toEqual(failure);
});
