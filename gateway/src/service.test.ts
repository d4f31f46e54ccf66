import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createTestDatabase } from '@stratos/prisma/testing';
import { ConfigError } from '@stratos/protocol/environment';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from './service.ts';
import { send } from './testing/surfaces.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    GATEWAY_DEMO_PDS_URL: 'http://localhost:2583',
    GATEWAY_DEMO_ACCOUNTS: 'rei.test:password,mika.test:password',
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('is healthy, ready, and tells which nodes are heard', async () => {
  await gateway.world.node('did:web:heard.test' as never);
  await gateway.world.node('did:web:silent.test' as never, { leaseUntil: null });
  expect((await send(`${gateway.url}/health`)).status).toBe(200);
  const { status, body } = await send(`${gateway.url}/ready`);
  expect(status).toBe(200);
  expect(JSON.parse(body).nodes).toMatchObject([
    { did: 'did:web:heard.test', heard: true },
    { did: 'did:web:silent.test', heard: false, leaseUntil: null },
  ]);
});

test('publishes its DID document', async () => {
  const { body } = await send(`${gateway.url}/.well-known/did.json`);
  expect(JSON.parse(body)).toMatchObject({
    id: gateway.did,
    verificationMethod: [{ id: `${gateway.did}#atproto`, type: 'Multikey' }],
  });
});

test('lets any page call the API, without credentials', async () => {
  const headers = {
    origin: 'https://app.example.com',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,dpop',
  };
  for (const path of ['/graphql', '/trpc/timeline', '/xrpc/zone.stratos.feed.getTimeline']) {
    const answer = await send(`${gateway.url}${path}`, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(204);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  }
});

test('shows what it is, and GraphiQL, from itself alone', async () => {
  const front = await send(`${gateway.url}/`);
  expect(front.body).toContain('Open GraphiQL');
  const graphiql = await send(`${gateway.url}/graphiql`);
  expect(graphiql.body).toContain('>rei.test</button>');
  for (const { body, headers } of [front, graphiql]) {
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    for (const [, asset] of body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
      expect((await send(`${gateway.url}${asset}`)).status).toBe(200);
    }
    expect(body.match(/<(script|link)[^>]+https?:/)).toBeNull();
  }
  const html = { headers: { accept: 'text/html' }, redirect: 'manual' } as const;
  expect((await send(`${gateway.url}/graphql`, html)).status).toBe(302);
});

test('its process says what is wrong in the environment, and ends', async () => {
  const child = start({ DATABASE_URL: 'nonsense' });
  const [errors, [code]] = await Promise.all([buffer(child.stderr as never), once(child, 'exit')]);
  expect(code).toBe(1);
  expect(String(errors)).toMatch(/DATABASE_URL/);
});

test('its process does not run by a role that sees past row security', async () => {
  await using database = await createTestDatabase();
  const child = start({
    DATABASE_URL: database.url,
    GATEWAY_PORT: '0',
    GATEWAY_PUBLIC_URL: 'http://localhost:4999',
    APPVIEW_DID: gateway.did,
    APPVIEW_KEY_FILE: gateway.config.appViewKeyFile,
    STRATOS_DEV_MODE: 'true',
  });
  const [errors, [code]] = await Promise.all([buffer(child.stderr as never), once(child, 'exit')]);
  expect(code).toBe(1);
  expect(String(errors)).toMatch(
    /^the gateway cannot run: DATABASE_URL: the role 'stratos' bypasses/,
  );
  expect(String(errors)).toContain('IN ROLE stratos_gateway');
  const config = { ...gateway.config, databaseUrl: database.url };
  await expect(startGateway(config)).rejects.toThrow(ConfigError);
});

test('its process ends well on SIGTERM', async () => {
  const { config } = gateway;
  const child = start({
    DATABASE_URL: config.databaseUrl,
    GATEWAY_PORT: '0',
    GATEWAY_PUBLIC_URL: 'http://localhost:4999',
    APPVIEW_DID: config.appViewDid,
    APPVIEW_KEY_FILE: config.appViewKeyFile,
    STRATOS_DEV_MODE: 'true',
  });
  await once(child.stdout as never, 'data');
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('listens without its database, says so, and answers once it is there', async () => {
  await using database = await createTestDatabase();
  const { port: databasePort } = new URL(database.gatewayUrl);
  await using passage = await openPassage(Number(databasePort));
  const url = new URL(database.gatewayUrl);
  url.port = String(passage.port);
  const config = { ...gateway.config, databaseUrl: url.href, port: 0 };
  await using waiting = await startGateway(config);
  const at = (path: string, sent?: Parameters<typeof send>[1]) =>
    send(`http://localhost:${waiting.port}${path}`, sent);
  expect((await at('/health')).status).toBe(200);
  const asked = {
    method: 'POST' as const,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  };
  for (const path of [
    '/ready',
    '/graphql',
    '/xrpc/zone.stratos.feed.getTimeline',
    '/trpc/viewer',
  ]) {
    const answer = await at(path, path === '/graphql' ? asked : {});
    expect([path, answer.status]).toEqual([path, 503]);
    if (path !== '/ready') expect(answer.body).toMatch(/"UNAVAILABLE"|"Unavailable"/);
  }
  passage.open();
  await expect.poll(async () => (await at('/ready')).status, { timeout: 20_000 }).toBe(200);
  expect((await at('/xrpc/zone.stratos.feed.getTimeline')).status).toBe(401);
}, 60_000);

/** A port that turns everybody away until it is opened, and then leads to another. */
async function openPassage(target: number) {
  let isOpen = false;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (!isOpen) {
      socket.destroy();
      return;
    }
    const onward = connect(target, 'localhost').on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
  });
  server.listen(0);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

function start(env: Record<string, string>): ChildProcess {
  const main = new URL('main.ts', import.meta.url).pathname;
  return spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}
