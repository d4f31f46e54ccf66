import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GRAPHQL_METHOD } from '../methods.ts';
import { type Answer, graphql, SURFACES, send, trpc, xrpc } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const BOUNDARIES = zone.stratos.boundary.listBoundaries.$nsid;
const URI = 'at://did:plc:reiaaaaaaaaaaaaaaaaaaaaa/zone.stratos.feed.post/3jzfcijpj2z2a';

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.session(gateway.people.add('alice'));
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function codeOf(query: string): Promise<string | undefined> {
  const { body } = await graphql(gateway.url, token, query);
  return JSON.parse(body).errors?.[0]?.extensions.code;
}

function post(path: string, body: string, type = 'application/json'): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': type };
  return send(gateway.url + path, { method: 'POST', headers, body });
}

describe('the form of a query', () => {
  const nested = (levels: number) =>
    Array(levels)
      .fill('replies(first: 1) { edges { node { ')
      .concat('uri', Array(levels).fill(' } } }'))
      .join('');
  const fragments = (levels: number) =>
    Array.from(
      { length: levels },
      (_, i) => `fragment F${i} on Post { replies(first: 1) { edges { node { ...F${i + 1} } } } }`,
    )
      .concat(`fragment F${levels} on Post { uri }`)
      .join(' ');
  const times = (count: number, part: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => part(i)).join(' ');
  const skipped = (count: number) => times(count, () => '... @skip(if: true) { did }');

  test.each<[string, string, string]>([
    [
      'depth',
      `{ post(uri: "${URI}") { ${nested(3)} } }`,
      `{ post(uri: "${URI}") { ${nested(5)} } }`,
    ],
    [
      'depth in fragments',
      `{ post(uri: "${URI}") { ...F0 } } ${fragments(3)}`,
      `{ post(uri: "${URI}") { ...F0 } } ${fragments(5)}`,
    ],
    [
      'aliases',
      `{ ${times(20, (i) => `a${i}: viewer { did }`)} }`,
      `{ ${times(21, (i) => `a${i}: viewer { did }`)} }`,
    ],
    ['directives', `{ viewer { did ${skipped(20)} } }`, `{ viewer { did ${skipped(21)} } }`],
    [
      'length',
      `{ viewer { ${times(400, () => 'did')} } }`,
      `{ viewer { ${times(2100, () => 'did')} } }`,
    ],
  ])('is limited in its %s', async (_, good, bad) => {
    expect(await codeOf(good)).toBeUndefined();
    expect(await codeOf(bad)).toBe('QUERY_TOO_COMPLEX');
  });
});

test('bodies are small', async () => {
  const filler = 'x'.repeat(110_000);
  const query = JSON.stringify({ query: `{ viewer { did } } # ${filler}` });
  for (const path of ['/graphql', `/xrpc/${GRAPHQL_METHOD}`]) {
    expect([path, (await post(path, query)).status]).toEqual([path, 413]);
  }
});

test('tRPC takes ten calls at once', async () => {
  const batch = (size: number) => {
    const calls = Array(size).fill('viewer').join();
    return send(`${gateway.url}/trpc/${calls}?batch=1&input=%7B%7D`, {
      headers: { authorization: `Bearer ${token}` },
    });
  };
  expect((await batch(10)).status).toBe(200);
  expect((await batch(11)).status).toBe(400);
});

test('GraphQL takes one query at once, and nothing but JSON', async () => {
  const query = JSON.stringify({ query: '{ viewer { did } }' });
  for (const path of ['/graphql', `/xrpc/${GRAPHQL_METHOD}`]) {
    expect((await post(path, query)).status).toBe(200);
    expect((await post(path, `[${query},${query}]`)).status).toBe(400);
    expect((await post(path, query, 'text/plain')).status).toBe(path === '/graphql' ? 415 : 400);
  }
});

test('an answer is for who asks, now, and is what it says', async () => {
  for (const { rawPost } of SURFACES) {
    for (const asker of [token, undefined]) {
      const { headers } = await rawPost(gateway.url, asker, URI);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        vary: expect.stringMatching(/authorization.*cookie/i),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  }
});

test('what goes wrong inside is nobody’s business', async () => {
  const { prisma } = gateway.world;
  await prisma.$executeRawUnsafe('alter table stratos_membership rename to hidden_away');
  try {
    const answers = await Promise.all([
      graphql(gateway.url, token, '{ boundaries { uri } }'),
      trpc(gateway.url, token, 'boundaries'),
      xrpc(gateway.url, token, BOUNDARIES),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 500]);
    for (const { body } of answers) {
      expect(body).toMatch(/"INTERNAL"|"InternalServerError"/);
      expect(body).not.toMatch(/stratos_membership|relation|exist|42P01|\.ts/);
    }
  } finally {
    await prisma.$executeRawUnsafe('alter table hidden_away rename to stratos_membership');
  }
  expect((await xrpc(gateway.url, token, BOUNDARIES)).status).toBe(200);
});

describe('with little to spend', () => {
  let poor: TestGateway;
  beforeAll(async () => {
    poor = await startTestGateway({
      GATEWAY_VIEWER_COST_PER_MINUTE: '100',
      GATEWAY_STRANGER_REQUESTS_PER_MINUTE: '20',
    });
  });
  afterAll(() => poor[Symbol.asyncDispose]());

  /** How many times something may be asked. */
  async function times(ask: () => Promise<{ status: number; body: string }>): Promise<number> {
    for (let count = 0; count < 110; count++) {
      const { status, body } = await ask();
      if (status === 429 || body.includes('RATE_LIMITED')) return count;
    }
    return Number.POSITIVE_INFINITY;
  }

  test('subscriptions and files cost something', async () => {
    const subscriber = await poor.session(poor.people.add('subscriber'));
    const headers = {
      authorization: `Bearer ${subscriber}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    };
    const subscribe = async () => {
      const stop = new AbortController();
      const body = JSON.stringify({ query: `subscription { posts { ${costly} } }` });
      const { signal } = stop;
      const init = { method: 'POST', headers, body, signal };
      const response = await fetch(`${poor.url}/graphql`, init);
      const reader = response.body?.getReader();
      const { value } = (await reader?.read()) ?? {};
      stop.abort();
      return { status: response.status, body: Buffer.from(value ?? []).toString() };
    };
    expect(await times(subscribe)).toBeLessThan(20);
    const asker = await poor.session(poor.people.add('asker'));
    const path = `/blob/did:web:a.test/did:plc:a/b/c`;
    const file = () => send(poor.url + path, { headers: { authorization: `Bearer ${asker}` } });
    expect(await times(file)).toBe(100);
  });

  test('an address that somebody only claims to have is not believed', async () => {
    let next = 0;
    const ask = () => {
      next += 1;
      const headers = { 'x-forwarded-for': `203.0.113.${next}` };
      return send(`${poor.url}/xrpc/${BOUNDARIES}`, { headers });
    };
    expect(await times(ask)).toBe(20);
  });
});

const costly = Array.from({ length: 8 }, (_, i) => `... on PostShown { p${i}: cursor }`).join(' ');
