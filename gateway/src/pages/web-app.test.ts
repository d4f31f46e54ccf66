import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { webAppRoutes } from './web-app.ts';

const PUBLIC = 'https://gateway.example.com';
const NODE = 'did:web:node.example.com';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-web-app-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<title>The app</title>');
  await writeFile(join(folder, 'assets/index-1a2b.js'), 'void 0;');
  await writeFile(join(folder, 'assets/notes.txt'), 'Not for the web.');
  await writeFile(join(folder, 'config.json'), '{"gateway":"of somebody else"}');
  await writeFile(join(folder, 'client-metadata.json'), '{"scope":"atproto","client_id":"x"}');
});
afterAll(() => rm(folder, { recursive: true }));

async function serve(env: Record<string, string> = {}) {
  const config = readConfig({
    DATABASE_URL: 'postgres://a/b',
    APPVIEW_DID: 'did:web:gateway.example.com',
    APPVIEW_KEY_FILE: 'a',
    GATEWAY_PUBLIC_URL: PUBLIC,
    GATEWAY_WEB_APP_NODES: NODE,
    GATEWAY_WEB_APP: folder,
    ...env,
  });
  const server = createServer(express().use('/app', webAppRoutes(folder, config))).listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    get: (path: string, init?: RequestInit) =>
      fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init }),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

test('is served below its path, and files that are no part of it are not', async () => {
  await using app = await serve();
  const bare = await app.get('/app');
  expect([bare.status, bare.headers.get('location')]).toEqual([308, '/app/']);
  const page = await app.get('/app/');
  expect(await page.text()).toBe('<title>The app</title>');
  const script = await app.get('/app/assets/index-1a2b.js');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect((await app.get('/app/assets/notes.txt')).status).toBe(404);
  expect((await app.get('/app/..%2fpackage.json')).status).toBe(404);
});

test('is kept by browsers as long as it cannot change', async () => {
  await using app = await serve();
  const script = await app.get('/app/assets/index-1a2b.js');
  expect(script.headers.get('cache-control')).toContain('immutable');
  const page = await app.get('/app/');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const etag = page.headers.get('etag') ?? '';
  const again = await app.get('/app/', { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
});

test('is told of this gateway, and is the OAuth client of this address', async () => {
  await using app = await serve();
  const clientId = `${PUBLIC}/app/client-metadata.json`;
  expect(await (await app.get('/app/config.json')).json()).toEqual({
    gateway: { did: 'did:web:gateway.example.com', url: PUBLIC },
    plcUrl: 'https://plc.directory',
    clientId,
    nodes: [NODE],
  });
  expect(await (await app.get('/app/client-metadata.json')).json()).toEqual({
    scope: 'atproto',
    client_id: clientId,
    client_uri: `${PUBLIC}/app/`,
    redirect_uris: [`${PUBLIC}/app/`],
  });
});

test('runs scripts and connects as its policy says, on every answer', async () => {
  await using app = await serve();
  for (const path of ['/app/', '/app/config.json', '/app/assets/index-1a2b.js']) {
    const policy = (await app.get(path)).headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' blob:",
      `connect-src 'self' https: ${PUBLIC}`,
      "require-trusted-types-for 'script'",
      'trusted-types svelte-trusted-html',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  }
});

test('connects to this machine in development alone', async () => {
  await using app = await serve({
    GATEWAY_PUBLIC_URL: 'http://localhost:4000',
    STRATOS_DEV_MODE: 'true',
  });
  const { headers } = await app.get('/app/');
  expect(headers.get('content-security-policy')).toContain('http://localhost:*');
  const config = await (await app.get('/app/config.json')).json();
  expect(config).not.toHaveProperty('clientId');
});
