import { once } from 'node:events';
import { Frame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { GRAPHQL_METHOD } from '../methods.ts';
import { serviceAuth } from '../testing/people.ts';
import { type Answer, graphql, SURFACES, send, trpc, xrpc } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const GET_TIMELINE = zone.stratos.feed.getTimeline.$nsid;
const SUBSCRIBE_POSTS = zone.stratos.feed.subscribePosts.$nsid;
const uri = 'at://did:plc:reiaaaaaaaaaaaaaaaaaaaaa/zone.stratos.feed.post/3jzfcijpj2z2a';

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Whether an answer is a stream of events that is open. */
async function isOpened(url: string, headers: Record<string, string>): Promise<boolean> {
  const { body } = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } });
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('"opened"')) return true;
  }
  return false;
}

function codeOf({ body }: Answer): string {
  const { errors, error } = JSON.parse(body);
  return errors?.[0].extensions.code ?? error?.data?.reason ?? error;
}

describe('what a viewer may ask in a minute', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      GATEWAY_QUERY_COST: '1500',
      GATEWAY_VIEWER_COST_PER_MINUTE: '1500',
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const page = '{ timeline(first: 100) { edges { node { text uri cid } } } }';
  const asks: [string, (token: string) => Promise<Answer>][] = [
    ['GraphQL', (token) => graphql(gateway.url, token, page)],
    ['tRPC', (token) => trpc(gateway.url, token, 'timeline', {})],
    ['XRPC', (token) => xrpc(gateway.url, token, GET_TIMELINE)],
  ];

  test.each(asks)('is counted by its cost over %s', async (name, ask) => {
    const token = await gateway.session(gateway.people.add(name.toLowerCase()));
    const answers: Answer[] = [];
    while (answers.at(-1)?.status !== 429 && answers.length < 5) answers.push(await ask(token));
    expect(answers.map(({ status }) => status).slice(-2)).toEqual([200, 429]);
    const refused = answers.at(-1) as Answer;
    expect(['RATE_LIMITED', 'RateLimitExceeded']).toContain(codeOf(refused));
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    for (const surface of SURFACES) {
      expect((await surface.rawPost(gateway.url, token, uri)).status).toBe(429);
    }
    const other = await gateway.session(gateway.people.add('other'));
    expect((await xrpc(gateway.url, other, zone.stratos.gateway.getViewer.$nsid)).status).toBe(200);
  });

  test('is no more for calls in a batch', async () => {
    const token = await gateway.session(gateway.people.add('batch'));
    const answer = await send(
      `${gateway.url}/trpc/timeline,timeline?batch=1&input=${encodeURIComponent('{"0":{},"1":{}}')}`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    expect(answer.status).toBe(429);
  });

  test.each<[string, (token: string) => Promise<boolean>]>([
    ['XRPC', async (token) => (await firstFrame(gateway.url, bearer(token))) === '#opened'],
    ['tRPC', (token) => isOpened(`${gateway.url}/trpc/livePosts`, bearer(token))],
  ])('is spent on streams over %s, as on any call', async (name, isOpenedBy) => {
    const token = await gateway.session(gateway.people.add(`streams${name.toLowerCase()}`));
    const page = await xrpc(gateway.url, token, GET_TIMELINE, { limit: 72 });
    expect(page.status).toBe(200);
    const opened: boolean[] = [];
    for (let i = 0; i < 3; i++) opened.push(await isOpenedBy(token));
    expect(opened).toEqual([true, true, false]);
    expect((await xrpc(gateway.url, token, GET_TIMELINE)).status).toBe(429);
  });

  test('a query that costs more than any may is not run', async () => {
    const token = await gateway.session(gateway.people.add('costly'));
    const answer = await graphql(
      gateway.url,
      token,
      page
        .replace('text', 'text author { did handle }')
        .replaceAll(
          'cid',
          'cid indexedAt createdAt id replyRoot replyParent facets { byteStart byteEnd }',
        ),
    );
    expect([answer.status, codeOf(answer)]).toEqual([400, 'QUERY_TOO_COMPLEX']);
  });
});

describe('who does not prove who asks', () => {
  const environment = {
    GATEWAY_STRANGER_REQUESTS_PER_MINUTE: '20',
    GATEWAY_TRUSTED_PROXIES: 'loopback',
  };
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway(environment);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const from = (address: string, token?: string) =>
    send(`${gateway.url}/xrpc/${GET_TIMELINE}`, {
      headers: { 'x-forwarded-for': address, ...(token && { authorization: `Bearer ${token}` }) },
    });
  const statuses = async (count: number, ask: (i: number) => Promise<Answer>) => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push((await ask(i)).status);
    return found;
  };

  test('is counted by network address', async () => {
    const token = await gateway.session(gateway.people.add('alice'));
    const asked = await statuses(22, () => from('203.0.113.1'));
    expect(asked).toEqual([...Array(20).fill(401), 429, 429]);
    expect((await from('203.0.113.2')).status).toBe(401);
    expect((await from('203.0.113.1', token)).status).toBe(200);
  });

  test('is counted where the proof fails, and then not even checked', async () => {
    const person = gateway.people.add('bob');
    const wrong = () => serviceAuth(person, gateway.did, GRAPHQL_METHOD);
    const asked = await statuses(22, async () => from('203.0.113.3', await wrong()));
    expect(asked).toEqual([...Array(20).fill(401), 429, 429]);
    const good = await serviceAuth(person, gateway.did, GET_TIMELINE);
    expect((await from('203.0.113.3', good)).status).toBe(429);
    expect((await from('203.0.113.4', good)).status).toBe(200);
  });

  test.each([
    ['begins to sign in', '/oauth/login?handle=x', '203.0.113.7'],
    ['comes back from it', '/oauth/callback?state=x', '203.0.113.8'],
  ])('is counted who %s', async (_, path, address) => {
    const headers = { 'x-forwarded-for': address };
    const asked: number[] = [];
    for (let i = 0; i < 22; i++) {
      asked.push((await fetch(gateway.url + path, { headers, redirect: 'manual' })).status);
    }
    expect(asked.slice(0, 20)).not.toContain(429);
    expect(asked.slice(20)).toEqual([429, 429]);
  });

  test('is counted where a WebSocket is asked for', async () => {
    const follow = (address: string, token?: string) =>
      firstFrame(gateway.url, {
        'x-forwarded-for': address,
        ...(token && { authorization: `Bearer ${token}` }),
      });
    const person = gateway.people.add('carol');
    const wrong = await serviceAuth(person, gateway.did, GET_TIMELINE);
    const found: unknown[] = [];
    for (let i = 0; i < 22; i++) found.push(await follow('203.0.113.5', i % 2 ? wrong : undefined));
    expect(found).toEqual([
      ...Array(20).fill('AuthRequired'),
      'RateLimitExceeded',
      'RateLimitExceeded',
    ]);
    const good = () => serviceAuth(person, gateway.did, SUBSCRIBE_POSTS);
    expect(await follow('203.0.113.5', await good())).toBe('RateLimitExceeded');
    expect(await follow('203.0.113.6', await good())).toBe('#opened');
    expect(await follow('203.0.113.5', await gateway.session(person))).toBe('#opened');
    expect((await from('203.0.113.5')).status).toBe(429);
  });

  test('has one count for a whole network of IPv6', async () => {
    const asked = await statuses(22, (i) => from(`2001:db8:1:2::${i + 1}`));
    expect(asked.slice(-2)).toEqual([429, 429]);
    expect((await from('2001:db8:1:3::1')).status).toBe(401);
  });
});

/** What comes first of a stream: its type, or the error that it is refused with. */
async function firstFrame(url: string, headers: Record<string, string>): Promise<unknown> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/xrpc/${SUBSCRIBE_POSTS}`, { headers });
  try {
    const [bytes] = await once(socket, 'message');
    const frame = Frame.fromBytes(bytes);
    return frame.isMessage() ? frame.type : frame.isError() && frame.code;
  } finally {
    socket.terminate();
  }
}

describe('policy', () => {
  test('introspection can be switched off', async () => {
    await using gateway = await startTestGateway({ GATEWAY_INTROSPECTION: 'false' });
    const token = await gateway.session(gateway.people.add('alice'));
    const answer = await graphql(gateway.url, token, '{ __schema { queryType { name } } }');
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
    expect(answer.body).not.toContain('Query"');
    expect((await graphql(gateway.url, token, '{ __typename viewer { did } }')).status).toBe(200);
  });

  test('pages of other origins can be shut out', async () => {
    const friend = 'https://app.example.com';
    await using gateway = await startTestGateway({ GATEWAY_CORS_ORIGINS: friend });
    const allowed = async (origin: string) => {
      const { headers } = await send(`${gateway.url}/.well-known/did.json`, {
        headers: { origin },
      });
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      return headers['access-control-allow-origin'];
    };
    expect(await allowed(friend)).toBe(friend);
    expect(await allowed('https://evil.example')).toBeUndefined();
  });
});
