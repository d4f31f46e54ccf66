import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DpopService, PERSON } from '../testing/dpop-service.ts';
import { openGatewaySession, openNodeSession } from './session.ts';

let node: DpopService;
beforeEach(() => {
  node = new DpopService();
});

const open = () => openNodeSession({ pds: node.pds, node: node.service, fetch: node.fetch });

test('a session is of the person, and each request has a proof of its own', async () => {
  const session = await open();
  expect(session.did).toBe(PERSON);
  // The first proof had no nonce, which cost no second token.
  expect([node.requests, node.tokens]).toEqual([2, 1]);
  expect((await session.fetch('/xrpc/a.b.c?limit=1')).status).toBe(200);
  const post = { method: 'POST', body: 'text', headers: { 'x-other': '1' } };
  expect((await session.fetch(new URL('https://node.example/xrpc/a.b.d'), post)).status).toBe(200);
  expect(node.heard.map(({ url, authorization, body }) => [url, authorization, body])).toEqual([
    ['https://node.example/xrpc/a.b.c?limit=1', 'DPoP session-1', ''],
    ['https://node.example/xrpc/a.b.d', 'DPoP session-1', 'text'],
  ]);
});

test('the token goes nowhere else', async () => {
  const session = await open();
  const { requests } = node;
  for (const url of ['https://evil.example/', '//evil.example/', 'http://node.example/']) {
    await expect(session.fetch(url)).rejects.toMatchObject({ code: 'InvalidUri' });
    await expect(session.headers({ url })).rejects.toMatchObject({ code: 'InvalidUri' });
  }
  expect(node.requests).toBe(requests);
});

test('another nonce is taken over, with the same session', async () => {
  const session = await open();
  node.nonce = 'second';
  expect((await session.fetch('/x', { method: 'POST', body: 'text' })).status).toBe(200);
  expect(node.heard.map(({ body }) => body)).toEqual(['text']);
  expect(node.tokens).toBe(1);
});

describe('renewal', () => {
  test('is before the end, once for all who ask at the same time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const session = await open();
      vi.advanceTimersByTime(539_000);
      await session.fetch('/x');
      expect(node.tokens).toBe(1);
      vi.advanceTimersByTime(2_000);
      node.exchangeMs = 5;
      await Promise.all(Array.from({ length: 5 }, () => session.fetch('/x')));
      expect(node.tokens).toBe(2);
      expect(node.heard.at(-1)?.authorization).toBe('DPoP session-2');
    } finally {
      vi.useRealTimers();
    }
  });

  test('is when the service no longer knows the session, once for all', async () => {
    const session = await open();
    node.session = 7;
    node.exchangeMs = 5;
    const answers = await Promise.all([1, 2, 3].map(() => session.fetch('/x')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(node.tokens).toBe(2);
  });

  test('is not asked for by who was answered after it', async () => {
    const renewed = Promise.withResolvers<void>();
    const session = await openNodeSession({
      pds: node.pds,
      node: node.service,
      fetch: async (url, init) => {
        const response = await node.fetch(url, init);
        if (url.endsWith('/slow')) await renewed.promise;
        return response;
      },
    });
    node.session = 7;
    const slow = session.fetch('/slow');
    await session.fetch('/x');
    renewed.resolve();
    expect((await slow).status).toBe(200);
    expect(node.tokens).toBe(2);
  });

  test('is also when the nonce had changed as well', async () => {
    const session = await open();
    node.session = 7;
    node.nonce = 'second';
    expect((await session.fetch('/x')).status).toBe(200);
  });

  test('is tried once, and then the refusal is what it is', async () => {
    const session = await openNodeSession({
      pds: node.pds,
      node: node.service,
      fetch: async (url, init) =>
        url.endsWith('.createSession')
          ? node.fetch(url, init)
          : new Response(null, { status: 401 }),
    });
    expect((await session.fetch('/x')).status).toBe(401);
    expect(node.tokens).toBe(2);
  });

  test('that fails is tried anew by the next request', async () => {
    let isDown = false;
    const session = await openNodeSession({
      pds: node.pds,
      node: node.service,
      fetch: (url, init) =>
        isDown ? Promise.reject(new TypeError('fetch failed')) : node.fetch(url, init),
    });
    node.session = 7;
    isDown = true;
    await expect(session.fetch('/x')).rejects.toThrow('fetch failed');
    isDown = false;
    expect((await session.fetch('/x')).status).toBe(200);
  });

  test('is not asked for all the time where the clock here is wrong', async () => {
    node.lifetime = 0;
    const session = await open();
    await session.fetch('/x');
    await session.fetch('/x');
    expect(node.tokens).toBe(1);
  });
});

test('a body that is a stream is sent once', async () => {
  const session = await open();
  node.session = 7;
  const body = new Blob(['text']).stream();
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
  expect((await session.fetch('/x', init)).status).toBe(401);
  expect(node.tokens).toBe(1);
});

test('a session of a gateway may be bound to nothing', async () => {
  const options = { pds: node.pds, gateway: node.service, fetch: node.fetch };
  const session = await openGatewaySession({ ...options, isBound: false });
  expect(await session.headers({ url: '/graphql' })).toEqual({ authorization: 'Bearer session-1' });
  const bound = await openGatewaySession(options);
  const { authorization, dpop } = await bound.headers({ method: 'post', url: '/graphql' });
  expect([authorization, dpop?.split('.').length]).toEqual(['DPoP session-2', 3]);
});

test('the key pair may be one that the app keeps', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const keyPair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const options = { pds: node.pds, node: node.service, fetch: node.fetch, keyPair };
  const session = await openNodeSession(options);
  const { dpop = '' } = await session.headers({ url: '/x' });
  const { jwk } = JSON.parse(Buffer.from(dpop.split('.')[0] ?? '', 'base64url').toString());
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keyPair.publicKey);
  expect(jwk).toEqual({ kty, crv, x, y });
});

describe('what goes wrong', () => {
  test('a PDS that refuses is told from one that is away', async () => {
    const pdsOf = (fetchHandler: () => Promise<Response>) =>
      openNodeSession({ pds: { fetchHandler }, node: node.service, fetch: node.fetch });
    const refusal = { error: 'ScopeMissingError', message: 'no' };
    await expect(pdsOf(async () => Response.json(refusal, { status: 403 }))).rejects.toMatchObject({
      name: 'RefusedError',
      code: 'ScopeMissingError',
      status: 403,
    });
    await expect(pdsOf(() => Promise.reject(new TypeError('fetch failed')))).rejects.toMatchObject({
      name: 'UnreachableError',
      code: 'Unreachable',
    });
    await expect(pdsOf(async () => Response.json({}))).rejects.toMatchObject({
      code: 'BadAnswer',
    });
    const over = new Error('the session was revoked');
    await expect(pdsOf(() => Promise.reject(over))).rejects.toBe(over);
  });

  test('a service that refuses says why, and when to come back', async () => {
    const headers = { 'retry-after': '7' };
    const fetch = async () =>
      Response.json({ error: 'RateLimitExceeded' }, { status: 429, headers });
    await expect(
      openNodeSession({ pds: node.pds, node: node.service, fetch }),
    ).rejects.toMatchObject({ code: 'RateLimitExceeded', status: 429, retryAfterSeconds: 7 });
  });
});
