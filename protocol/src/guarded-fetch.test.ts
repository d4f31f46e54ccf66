import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { createGuardedFetch } from './guarded-fetch.ts';
import { HOSTILE_ADDRESSES, HOSTILE_URLS, urlsOf } from './testing/hostile-urls.ts';

const MEBIBYTE = 1024 * 1024;

let port: number;
let base: string;
const hits: string[] = [];
const server = createServer({ maxHeaderSize: 1024 }, (request, response) => {
  hits.push(request.url ?? '');
  misbehave(request, response);
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  base = `http://127.0.0.1:${port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function misbehave(request: IncomingMessage, response: ServerResponse): void {
  const status = /^\/redirect\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (status) response.writeHead(Number(status), { location: '/' }).end();
  else if (request.url === '/big') response.end('x'.repeat(2000));
  else if (request.url === '/slow') response.write('x');
  else if (request.url === '/silent') request.socket.pause();
  else if (request.url === '/drip') drip(response);
  else if (request.url === '/endless') pour(response);
  else if (request.url === '/bomb') {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(64 * MEBIBYTE)));
  } else if (request.url === '/nested-bomb') {
    response.writeHead(200, { 'content-encoding': 'gzip, gzip' });
    response.end(gzipSync(gzipSync(Buffer.alloc(64 * MEBIBYTE))));
  } else if (request.url === '/headers') {
    for (let i = 0; i < 64; i++) response.setHeader(`x-${i}`, 'x'.repeat(8_000));
    response.end('hello');
  } else response.end('hello');
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
}

function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(MEBIBYTE);
  const more = () => {
    while (!response.destroyed && response.write(chunk)) {
      if (response.destroyed) return;
    }
  };
  response.on('drain', more);
  more();
}

/** Every address that any socket of this process tries to reach, and what names resolve to. */
describe('guarded fetch on a public service', () => {
  const attempts: string[] = [];
  const { emit } = Socket.prototype;
  const { lookup } = dns;
  /** What names resolve to: the answers of a lookup, the last one for all further lookups. */
  let answers: readonly string[][] = [];
  let lookups = 0;

  beforeAll(() => {
    Socket.prototype.emit = function (this: Socket, event: string, ...values: unknown[]) {
      if (event === 'connectionAttempt') attempts.push(String(values[0]));
      return Reflect.apply(emit, this, [event, ...values]);
    } as typeof emit;
  });
  beforeEach(() => {
    attempts.length = 0;
    lookups = 0;
    hits.length = 0;
    dns.lookup = lie as unknown as typeof lookup;
    syncBuiltinESMExports();
  });
  afterEach(() => {
    dns.lookup = lookup;
    syncBuiltinESMExports();
  });
  afterAll(() => {
    Socket.prototype.emit = emit;
  });

  type Answer = (error: null, address: string | LookupAddress[], family?: number) => void;

  function lie(_name: string, options: LookupOptions, answer: Answer): void {
    const addresses = (answers[Math.min(lookups, answers.length - 1)] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    lookups += 1;
    const [first] = addresses;
    if (options.all) answer(null, addresses);
    else answer(null, first?.address ?? '', first?.family);
  }

  const fetch = createGuardedFetch({ devMode: false, timeoutMs: 1_000 });

  it('would be seen if it reached out', async () => {
    answers = [['127.0.0.1']];
    expect((await createGuardedFetch({ devMode: true })(base)).status).toBe(200);
    expect(attempts).toEqual(['127.0.0.1']);
    attempts.length = 0;
    await expect(globalThis.fetch(`http://name.example.com:${port}/`)).resolves.toBeDefined();
    expect(attempts).toEqual(['127.0.0.1']);
    expect(HOSTILE_URLS.length + HOSTILE_ADDRESSES.flatMap(urlsOf).length).toBeGreaterThan(200);
  });

  it('reaches no address that is not public, however it is written', async () => {
    for (const url of [...HOSTILE_ADDRESSES.flatMap(urlsOf), ...HOSTILE_URLS]) {
      answers = [['127.0.0.1']];
      await expect(fetch(url), url).rejects.toThrow();
      expect([url, attempts]).toEqual([url, []]);
    }
    expect(hits).toEqual([]);
  });

  it('reaches no name that resolves to such an address, alone or among others', async () => {
    for (const address of HOSTILE_ADDRESSES) {
      for (const resolved of [[address], ['203.0.114.1', address], [address, '203.0.114.1']]) {
        answers = [resolved];
        await expect(fetch('https://node.example.com/'), resolved.join()).rejects.toThrow();
        expect([resolved, attempts]).toEqual([resolved, []]);
      }
    }
  });

  it('resolves a name once, so that it cannot mean something else a moment later', async () => {
    answers = [['203.0.114.1'], ['127.0.0.1']];
    await expect(fetch('https://node.example.com/')).rejects.toThrow();
    expect(attempts).not.toContain('127.0.0.1');
    expect(new Set(attempts)).toEqual(new Set(['203.0.114.1']));
    expect(lookups).toBe(1);
  });

  it('follows no name of the local network, whatever it resolves to', async () => {
    answers = [['203.0.114.1']];
    for (const name of [
      'localhost',
      'localhost.',
      'LOCALHOST',
      'a.localhost',
      'a.localhost.',
      'printer.local',
      'metadata.google.internal',
      'metadata.google.internal.',
      'metadata.internal',
      'METADATA.INTERNAL',
      'intranet',
      'intranet.',
      'kubernetes.default.svc.cluster.local',
    ]) {
      await expect(fetch(`https://${name}/`), name).rejects.toThrow();
      expect([name, attempts]).toEqual([name, []]);
    }
  });
});

describe('guarded fetch', () => {
  const fetch = createGuardedFetch({ devMode: true, maxBytes: 100_000, timeoutMs: 400 });
  const text = async (path: string) => (await fetch(base + path)).text();

  it('reaches loopback in development', async () => {
    expect(await text('/')).toBe('hello');
  });

  test.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (status) => {
    hits.length = 0;
    await expect(text(`/redirect/${status}`)).rejects.toThrow();
    const followed = fetch(`${base}/redirect/${status}`, { redirect: 'follow' });
    await expect(followed).rejects.toThrow();
    expect(hits).toEqual([`/redirect/${status}`, `/redirect/${status}`]);
  });

  test.each(['/slow', '/silent', '/drip'])('gives up in time (%s)', async (path) => {
    await expect(text(path)).rejects.toThrow();
  });

  test.each(['/endless', '/bomb', '/nested-bomb', '/headers'])(
    'takes no more than its limit (%s)',
    async (path) => {
      const before = process.memoryUsage().rss;
      await expect(text(path)).rejects.toThrow();
      expect(process.memoryUsage().rss - before).toBeLessThan(48 * MEBIBYTE);
    },
  );

  it('counts bytes after decompression, and stops at exactly its limit', async () => {
    const small = createGuardedFetch({ devMode: true, maxBytes: 1000 });
    const body = async () => (await small(`${base}/big`)).text();
    await expect(body()).rejects.toThrow();
    const enough = createGuardedFetch({ devMode: true, maxBytes: 2000 });
    expect(await (await enough(`${base}/big`)).text()).toHaveLength(2000);
  });

  it('can be called off', async () => {
    const patient = createGuardedFetch({ devMode: true, timeoutMs: 60_000 });
    const signal = AbortSignal.timeout(50);
    const asked = patient(`${base}/slow`, { signal }).then((response) => response.text());
    await expect(asked).rejects.toThrow();
  });
});
