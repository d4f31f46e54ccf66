import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuardedFetch } from './guarded-fetch.ts';

let hits = 0;
const server = createServer((request, response) => {
  hits++;
  if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
  else if (request.url === '/big') response.end('x'.repeat(2000));
  else if (request.url === '/slow') response.write('x');
  else response.end('hello');
});
let base: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('guarded fetch', () => {
  it.each([
    () => base,
    () => base.replace('127.0.0.1', 'localhost'),
    () => base.replace('http', 'https'),
    () => base.replace('127.0.0.1', '2130706433'),
    () => base.replace('127.0.0.1', '0x7f000001'),
    () => base.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    () => 'https://10.0.0.1/',
    () => 'https://169.254.169.254/latest/meta-data',
    () => 'https://[::1]/',
    () => 'https://[fd00::1]/',
    () => 'https://user:password@localhost/',
    () => 'https://metadata.internal/',
    () => 'data:text/plain,hello',
    () => 'file:///etc/passwd',
  ])('never reaches a private address in production (%#)', async (url) => {
    const before = hits;
    await expect(createGuardedFetch({ devMode: false, timeoutMs: 2000 })(url())).rejects.toThrow();
    expect(hits).toBe(before);
  });

  it('reaches loopback in development, but follows no redirect', async () => {
    const fetch = createGuardedFetch({ devMode: true });
    expect(await (await fetch(base)).text()).toBe('hello');
    await expect(fetch(`${base}/redirect`)).rejects.toThrow();
  });

  it('stops at its limits of size and time', async () => {
    const fetch = createGuardedFetch({ devMode: true, maxBytes: 1000, timeoutMs: 300 });
    await expect(fetch(`${base}/big`).then((response) => response.text())).rejects.toThrow();
    await expect(fetch(`${base}/slow`).then((response) => response.text())).rejects.toThrow();
  });
});
