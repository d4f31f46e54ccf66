import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeOAuthClient } from '@atproto/oauth-client-node';
import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account } from './account.ts';
import { Browser } from './browser.ts';
import { enrollAccount } from './enroll-account.ts';
import { type Ground, openGround } from './ground.ts';
import { Service } from './service.ts';
import { atprotoDefinition } from './service-definitions.ts';

const SCOPE = `atproto repo:${zone.stratos.actor.enrollment.$nsid}`;
const PERSON = { handle: 'rei.test', password: 'password' };

let ground: Ground;
let atproto: Service;
let person: Account;

beforeAll(async () => {
  ground = await openGround({ ephemeral: true, ports: 'free' });
  atproto = new Service(atprotoDefinition(ground.plan), ground.plan.folder, () => {});
  await atproto.start();
  person = await Account.signInOrCreate(ground.plan.topology.pdsUrl, PERSON);
});

afterAll(async () => {
  await atproto?.stop();
  await ground?.[Symbol.asyncDispose]();
});

/** The smallest app with atproto OAuth: it knows who came back, if it was the browser that left. */
async function startApp(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer();
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}` as const;
  const client = oauthClient(`${origin}/oauth/callback`);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    if (request.headers.host?.startsWith('localhost')) {
      response.writeHead(302, { location: url.href }).end();
    } else if (url.pathname === '/oauth/authorize') {
      const to = await client.authorize(url.searchParams.get('handle') ?? '', { scope: SCOPE });
      response.writeHead(302, { location: to.href, 'set-cookie': 'flow=mine; HttpOnly' }).end();
    } else {
      if (request.headers.cookie !== 'flow=mine') throw new Error('Another browser came back');
      const { session } = await client.callback(url.searchParams);
      response.end(session.did);
    }
  }

  return {
    url: `http://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function oauthClient(redirectUri: `http://127.0.0.1:${number}/oauth/callback`): NodeOAuthClient {
  const { plcUrl, pdsUrl } = ground.plan.topology;
  return new NodeOAuthClient({
    clientMetadata: {
      client_id: `http://localhost?redirect_uri=${encodeURIComponent(redirectUri)}&scope=${encodeURIComponent(SCOPE)}`,
      redirect_uris: [redirectUri],
      scope: SCOPE,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      dpop_bound_access_tokens: true,
    },
    stateStore: mapStore(),
    sessionStore: mapStore(),
    requestLock: async (_name, work) => work(),
    allowHttp: true,
    plcDirectoryUrl: plcUrl,
    handleResolver: pdsUrl,
  });
}

function mapStore<T>() {
  const map = new Map<string, T>();
  return {
    get: (key: string) => map.get(key),
    set: (key: string, value: T) => void map.set(key, value),
    del: (key: string) => void map.delete(key),
  };
}

it('takes a person through sign-in and consent, back to the app', async () => {
  await using app = await startApp();
  const page = await enrollAccount(app.url, { username: 'rei.test', password: 'password' });
  expect(page.body).toBe(person.did);
  expect(page.url.hostname).toBe('127.0.0.1');
});

it('gets nowhere with a wrong password', async () => {
  await using app = await startApp();
  const enrolled = enrollAccount(app.url, { username: 'rei.test', password: 'wrong' });
  await expect(enrolled).rejects.toThrow(/refused sign-in/);
});

it('gets nowhere with a name that nobody has', async () => {
  await using app = await startApp();
  const enrolled = enrollAccount(app.url, { username: 'nobody.test', password: 'password' });
  await expect(enrolled).rejects.toThrow(/No sign-in page for nobody.test/);
});

it('keeps the cookies of one host from the other', async () => {
  await using app = await startApp();
  const browser = new Browser();
  const page = await browser.navigate(`${app.url}/oauth/authorize?handle=rei.test`);
  expect(page.url.hostname).toBe('localhost');
  expect(browser.cookie(new URL('http://127.0.0.1'), 'flow')).toBe('mine');
  expect(browser.cookie(page.url, 'flow')).toBeUndefined();
  expect(browser.cookie(page.url, 'csrf-token')).toBeDefined();
});
