import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { NodeEvent } from '../applying/node-event.ts';
import { LyingNode } from '../testing/lying-node.ts';
import { NodeStream, NodeStreamError, type NodeStreamOptions } from './node-stream.ts';

let node: LyingNode;

beforeEach(async () => {
  node = await LyingNode.start();
  node.membershipBytes(new Uint8Array(1));
});
afterEach(async () => {
  await node[Symbol.asyncDispose]();
});

function open(options: Partial<NodeStreamOptions> = {}): NodeStream {
  const { signal } = new AbortController();
  const all = { endpoint: node.url, cursor: 0, token: 'x', devMode: true, signal };
  return new NodeStream({ ...all, ...options });
}

async function* stream(options: Partial<NodeStreamOptions> = {}): AsyncGenerator<NodeEvent> {
  using opened = open(options);
  for (let events = await opened.take(1); events; events = await opened.take(1)) yield* events;
}

test('a node that falls silent is let go', async () => {
  const events = stream({ stallMs: 1_000 });
  expect((await events.next()).value?.type).toBe('#membership');
  expect((await events.next()).value?.type).toBe('#heartbeat');
  await expect(events.next()).rejects.toThrow('silent');
});

test('a node that closes ends the stream', async () => {
  const types: string[] = [];
  for await (const { type } of stream()) {
    types.push(type);
    if (type === '#heartbeat') node.cut();
  }
  expect(types).toEqual(['#membership', '#heartbeat']);
});

test('an abort ends the stream quietly', async () => {
  const abort = new AbortController();
  const events = stream({ signal: abort.signal });
  await events.next();
  await events.next();
  const next = events.next();
  abort.abort();
  expect((await next).done).toBe(true);
});

test.each([
  ['text', (send: (data: string | Uint8Array) => void) => send('hello')],
  [
    'bytes that are no frame',
    (send: (data: string | Uint8Array) => void) => send(new Uint8Array([1, 2])),
  ],
  [
    'more than a frame may hold',
    (send: (data: string | Uint8Array) => void) => send(new Uint8Array(9 * 1024 * 1024)),
  ],
])('a node that sends %s is let go', async (_, say) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => say((data) => socket.send(data)));
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await expect(stream({ endpoint: `http://127.0.0.1:${port}` }).next()).rejects.toThrow();
  server.close();
});

test.each(['http://node.example', 'https://127.0.0.1', 'https://[::1]', 'https://localhost'])(
  'outside development %s is not connected to',
  async (endpoint) => {
    await expect(stream({ endpoint, devMode: false }).next()).rejects.toThrow();
    expect(node.connections).toEqual([]);
  },
);

test('an address that cannot be public is refused before anything is sent', async () => {
  await expect(stream({ devMode: false }).next()).rejects.toThrow(NodeStreamError);
});

test('reads no further ahead than there is room, and loses nothing', async () => {
  const COUNT = 2_000;
  while (node.position < COUNT) node.membershipBytes(new Uint8Array(4_096));
  let arrived = 0;
  using events = open({ room: { count: 50, bytes: 1e9 }, onArrival: () => arrived++ });
  await vi.waitFor(() => expect(arrived).toBeGreaterThanOrEqual(50), { timeout: 10_000 });
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  // @NOTE what came with the same chunk of the socket is there in any case
  expect(arrived).toBeLessThan(150);
  const positions: unknown[] = [];
  while (positions.length < COUNT) {
    for (const { body } of (await events.take(20)) ?? []) {
      positions.push((body as { seq?: unknown }).seq);
    }
  }
  expect(positions.slice(0, COUNT)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
});
