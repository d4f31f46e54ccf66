import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../service.ts';
import { briefSession } from '../testing/brief-session.ts';
import { LIVE_QUERY, LiveClient } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import { LIVE_LIMITS } from './limits.ts';

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
].join('\r\n');

let gateway: TestGateway;
let stage: LiveStage;

beforeEach(async () => {
  gateway = await startTestGateway({
    GATEWAY_LIVE_STREAMS: '6',
    GATEWAY_LIVE_STREAMS_PER_VIEWER: '3',
  });
  stage = await LiveStage.on(gateway);
});
afterEach(() => gateway[Symbol.asyncDispose]());

test('lets nobody have too many streams, and gives each place back', async () => {
  const alice = await stage.reader('alice', 'art');
  const bob = await stage.reader('bob', 'art');
  const carol = await stage.reader('carol', 'art');
  const open: LiveClient[] = [];
  for (const { token } of [alice, alice, alice, bob, bob, bob]) {
    open.push(await stage.follow(token));
  }
  for (const { token } of [alice, carol]) {
    await using refused = await stage.follow(token);
    expect(refused.errors).toMatchObject([{ extensions: { code: 'TOO_MANY_STREAMS' } }]);
  }
  await open[0]?.[Symbol.asyncDispose]();
  await vi.waitFor(async () => {
    await using client = await stage.follow(carol.token);
    expect(client.events).toHaveLength(1);
  });
  for (const client of open) await client[Symbol.asyncDispose]();
});

test('closes the stream of a reader who takes nothing, and no other', async () => {
  const alice = await stage.reader('alice', 'art');
  const bob = await stage.reader('bob', 'art');
  const deaf = await deafReader(alice.token);
  await using witness = await stage.follow(bob.token);
  const text = 'word '.repeat(40_000);
  for (let index = 0; index < 80; index++) await stage.post(`post${index}`, ['art'], { text });
  await witness.until(({ texts }) => texts.length === 80);
  await sleep(LIVE_LIMITS.lingerMs + 500);
  const { bytes, isClosed } = await hear(deaf);
  expect(isClosed).toBe(true);
  expect(bytes).toBeLessThan(80 * text.length);
  expect(witness.isClosed).toBe(false);
}, 60_000);

test('sends everybody elsewhere when it goes away', async () => {
  const alice = await stage.reader('alice', 'art');
  const other = await startGateway({ ...gateway.config, port: 0 });
  await using client = await LiveClient.open(`http://localhost:${other.port}`, alice.token);
  await stage.post('seen', ['art']);
  await client.until(({ story }) => story.length === 1);
  const seen = client.cursor;
  await other[Symbol.asyncDispose]();
  await client.until(({ isComplete }) => isComplete);
  expect(client.events.at(-1)).toMatchObject({ reason: 'RECONNECT', cursor: seen });
  await stage.post('missed', ['art']);
  await using resumed = await stage.follow(alice.token, { after: client.cursor });
  await resumed.until(({ story }) => story.length === 1);
  expect(resumed.story).toEqual(['PostShown missed']);
});

test('ends a stream with the session that opened it', async () => {
  const alice = stage.person('alice');
  await gateway.world.member(alice.did, stage.node, stage.boundaries('art'));
  await using client = await stage.follow(await briefSession(gateway, alice.did, 2));
  expect(client.isClosed).toBe(false);
  await client.until(({ isComplete }) => isComplete);
  expect(client.events.at(-1)).toMatchObject({ reason: 'SESSION_EXPIRED' });
});

test.each(['//[', '/\\[', '/nothing', 'http://['])(
  'survives who asks for a WebSocket at %s',
  async (address) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.write(`GET ${address} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n\r\n`);
    expect(await hear(socket)).toEqual({ isClosed: true, bytes: 0 });
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  },
);

/** Opens a stream and reads nothing of it. */
async function deafReader(token: string): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const body = JSON.stringify({ query: LIVE_QUERY });
  const socket = createConnection({ host: hostname, port: Number(port) });
  const headers = [
    `Host: ${hostname}`,
    `Authorization: Bearer ${token}`,
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  socket.write(`POST /graphql HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  await once(socket, 'readable');
  return socket;
}

/** Reads all that is still to come. */
async function hear(socket: Socket): Promise<{ bytes: number; isClosed: boolean }> {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.on('error', () => {});
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
  const isClosed = await Promise.race([closed, sleep(5_000, false)]);
  return { isClosed, bytes };
}
