import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
/** What SIGTERM promises; see runService for the rest of it. */
const STOP_WITHIN_MS = 10_000;

async function connected(node: TestNode): Promise<Socket> {
  const socket = connect(Number(new URL(node.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function startedPost(node: TestNode, body: string): Promise<Socket> {
  const socket = await connected(node);
  const nsid = com.atproto.repo.createRecord.$nsid;
  const head = [
    `POST /xrpc/${nsid} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Authorization: ${await rei.authorization(nsid)}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`);
  return socket;
}

function createBody(): string {
  const collection = zone.stratos.feed.post.$nsid;
  return JSON.stringify({ repo: rei.did, collection, record: postRecord('the last words') });
}

it(
  'stops in time with streams, clients that say nothing and uploads that never end',
  async () => {
    const node = await TestNode.start({ people: [rei] });
    await node.enroll(rei, [SWORDSMITH]);
    await using stream = await StreamClient.open(node, node.appView, 0);
    await stream.until((client) => client.of('#heartbeat').length > 0);
    const silent = await connected(node);
    const unread = await connected(node);
    unread.pause();
    unread.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const endless = await startedPost(node, createBody());
    const closed = [silent, endless].map((socket) => once(socket, 'close'));
    await node[Symbol.asyncDispose]();
    unread.destroy();
    await Promise.all(closed);
    await expect.poll(() => stream.closed).toBe(true);
  },
  STOP_WITHIN_MS,
);

it('answers what was asked before it was told to stop', async () => {
  const node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const body = createBody();
  const socket = await startedPost(node, body);
  const answer = once(socket, 'data');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopped = node[Symbol.asyncDispose]();
  await expect.poll(() => node.ctx.stopping.aborted).toBe(true);
  socket.write(body.slice(10));
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 200 /);
  await stopped;
});
