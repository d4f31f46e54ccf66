import { AtpAgent } from '@atproto/api';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { type Did, toDid } from '@stratos/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browser, type Page } from '../network/src/browser.ts';
import { signInAndConsent } from '../network/src/oauth-sign-in.ts';
import { startThrowawayAtproto, type ThrowawayAtproto } from '../network/src/throwaway-atproto.ts';

const PERSON = { handle: 'rei.test', password: 'password' };
const QUERY = { query: '{ viewer { did } }' };

let atproto: ThrowawayAtproto;
let gateway: TestGateway;
let did: Did;
/** Of our pages, as the loopback redirect has it. */
let home: URL;

beforeAll(async () => {
  atproto = await startThrowawayAtproto();
  gateway = await startTestGateway({
    STRATOS_PLC_URL: atproto.plcUrl,
    STRATOS_HANDLE_RESOLVER_URL: atproto.pdsUrl,
  });
  home = new URL(gateway.url);
  home.hostname = '127.0.0.1';
  const agent = new AtpAgent({ service: atproto.pdsUrl });
  await agent.createAccount({ ...PERSON, email: 'rei@example.test' });
  did = toDid(agent.assertDid);
});
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await atproto?.[Symbol.asyncDispose]();
});

async function signIn(browser: Browser, returnTo = '/schema.graphql'): Promise<Page> {
  const search = new URLSearchParams({ handle: PERSON.handle, returnTo });
  const asked = await browser.navigate(`${gateway.url}/oauth/login?${search}`);
  return signInAndConsent(browser, asked.url, {
    username: PERSON.handle,
    password: PERSON.password,
  });
}

function ask(headers: Record<string, string>): Promise<Response> {
  return fetch(`${home.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(QUERY),
  });
}

describe('signing in on a page of the gateway', () => {
  let browser: Browser;
  let cookie: string;
  beforeAll(async () => {
    browser = new Browser();
    const arrived = await signIn(browser);
    expect([arrived.status, arrived.url.pathname]).toEqual([200, '/schema.graphql']);
    cookie = `stratos-session=${browser.cookie(home, 'stratos-session')}`;
  });

  test('lets its scripts ask as who signed in, on every surface', async () => {
    const answer = await browser.postJson(home, '/graphql', QUERY);
    expect(JSON.parse(answer.body)).toEqual({ data: { viewer: { did } } });
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    for (const path of ['/trpc/viewer', '/xrpc/zone.stratos.gateway.getViewer']) {
      const response = await request(path, headers);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.body).toContain(did);
    }
  });

  test('lets nobody else use the cookie', async () => {
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: home.origin.replace(/\d+$/, '1') },
      {},
    ];
    for (const headers of foreign) {
      expect([headers, (await ask({ cookie, ...headers })).status]).toEqual([headers, 401]);
    }
    for (const site of ['cross-site', 'same-site', 'none']) {
      const headers = { cookie, 'sec-fetch-site': site };
      expect([site, (await request('/trpc/viewer', headers)).status]).toEqual([site, 401]);
    }
    const navigated = { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' };
    expect((await request('/trpc/viewer', navigated)).status).toBe(401);
    expect((await ask({ cookie, origin: home.origin })).status).toBe(200);
    expect(
      (await ask({ cookie, origin: home.origin })).headers.get('access-control-allow-credentials'),
    ).toBeNull();
  });

  test('cannot be ended by another page, and is over everywhere once ended', async () => {
    const logout = (headers: Record<string, string>) =>
      fetch(`${home.origin}/oauth/logout`, { method: 'POST', headers: { cookie, ...headers } });
    const json = { 'content-type': 'application/json' };
    expect((await logout({ ...json, origin: 'https://evil.example' })).status).toBe(400);
    expect((await logout({ origin: home.origin })).status).toBe(400);
    expect((await ask({ cookie, origin: home.origin })).status).toBe(200);
    const ended = await browser.postJson(home, '/oauth/logout', {});
    expect(ended.status).toBe(204);
    expect(browser.cookie(home, 'stratos-session')).toBeUndefined();
    expect((await ask({ cookie, origin: home.origin })).status).toBe(401);
  });
});

test('goes nowhere else afterwards', async () => {
  for (const returnTo of ['https://evil.example/', '//evil.example', '/\\evil.example', 'x']) {
    const arrived = await signIn(new Browser(), returnTo);
    expect([arrived.url.origin, arrived.url.pathname]).toEqual([home.origin, '/']);
  }
});

test('is only for the browser that began it, once', async () => {
  const browser = new Browser();
  const search = new URLSearchParams({ handle: PERSON.handle });
  const asked = await browser.navigate(`${gateway.url}/oauth/login?${search}`);
  expect(browser.cookie(home, 'stratos-sign-in')).toBeDefined();
  const other = new Browser();
  // The PDS knows the first browser, so it goes on to the callback; the gateway is shown another’s cookies.
  const arrived = await signInAndConsent(browser, asked.url, {
    username: PERSON.handle,
    password: PERSON.password,
  });
  expect(arrived.status).toBe(200);
  expect(browser.cookie(home, 'stratos-sign-in')).toBeUndefined();
  const callback = new URL('/oauth/callback?state=unknown&code=x&iss=x', home);
  expect((await other.navigate(callback)).status).toBe(400);
});

test('gives back the tokens of the PDS as soon as that has said who it is', async () => {
  const browser = new Browser();
  await signIn(browser);
  expect(browser.cookie(home, 'stratos-session')).toBeDefined();
  expect(await atproto.appsOf(did)).toBe(0);
});

test('says who it is as an OAuth client, and asks for nothing but who somebody is', async () => {
  const metadata = await (await fetch(`${gateway.url}/oauth/client-metadata.json`)).json();
  expect(metadata).toMatchObject({ scope: 'atproto', dpop_bound_access_tokens: true });
});

/** With the headers of a browser, which `fetch` does not send. */
async function request(path: string, headers: Record<string, string>) {
  const { request: open } = await import('node:http');
  const { text } = await import('node:stream/consumers');
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  open(new URL(path, home), { headers }, async (response) => {
    resolve({ status: response.statusCode ?? 0, body: await text(response) });
  })
    .on('error', reject)
    .end();
  return promise;
}
