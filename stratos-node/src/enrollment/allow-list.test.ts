import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedFetch, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../logger.ts';
import { AllowList } from './allow-list.ts';

const rei = toDid('did:plc:reiaaaaaaaaaaaaaaaaaaaaa');
const sakura = toDid('did:plc:sakuraaaaaaaaaaaaaaaaaaa');
const MAX_BYTES = 1024;

let server: Server;
let uri: string;
let answer: { status: number; body: string };
beforeEach(async () => {
  answer = { status: 200, body: '' };
  server = createServer((_req, res) => void res.writeHead(answer.status).end(answer.body));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.txt`;
});
afterEach(() => void server.close());

const open = (options: { uri?: string; devMode?: boolean } = {}) =>
  new AllowList({
    uri: options.uri ?? uri,
    fetch: createGuardedFetch({ devMode: options.devMode ?? true, maxBytes: MAX_BYTES }),
    logger: silentLogger,
  });

async function whoOf(list: AllowList) {
  return [await list.has(rei), await list.has(sakura)];
}

it('takes one DID from each line, from the first question on', async () => {
  answer.body = `# members\n${rei}\r\n  \nhttps://example.com\ndid:nonsense\n`;
  await using list = open();
  expect(await whoOf(list)).toEqual([true, false]);
});

it('follows the list', async () => {
  answer.body = rei;
  await using list = open();
  expect(await whoOf(list)).toEqual([true, false]);
  answer.body = `${sakura}\n`;
  await list.refresh();
  expect(await whoOf(list)).toEqual([false, true]);
  answer.body = '\n';
  await list.refresh();
  expect(await whoOf(list)).toEqual([false, false]);
});

it.each([
  ['an error', { status: 500, body: sakura }],
  ['a redirect', { status: 302, body: sakura }],
  ['a page that is no list', { status: 200, body: '<h1>It works!</h1>' }],
  ['far too much', { status: 200, body: `${sakura}\n`.repeat(MAX_BYTES) }],
])('keeps the last list when it gets %s', async (_, bad) => {
  answer.body = rei;
  await using list = open();
  expect(await whoOf(list)).toEqual([true, false]);
  answer = bad;
  await list.refresh();
  expect(await whoOf(list)).toEqual([true, false]);
});

it('has nobody while the list cannot be reached, or may not be', async () => {
  answer.body = rei;
  await using unreachable = open({ uri: 'http://127.0.0.1:1/' });
  expect(await whoOf(unreachable)).toEqual([false, false]);
  await using guarded = open({ devMode: false });
  expect(await whoOf(guarded)).toEqual([false, false]);
});
