import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAll } from '@atproto/lex-cbor';
import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const LEXICONS = join(import.meta.dirname, '../../lexicons/zone/stratos');
/** Groups of methods that the gateway has. The others are for nodes. */
const GROUPS = ['actor', 'boundary', 'feed', 'gateway', 'node'];
const METHOD_TYPES = ['query', 'procedure', 'subscription'];

interface Lexicon {
  id: string;
  defs: { main?: { type: string; description?: string } };
}

const lexicons: Lexicon[] = await Promise.all(
  (await readdir(LEXICONS, { recursive: true }))
    .filter((file) => file.endsWith('.json'))
    .map(async (file) => JSON.parse(await readFile(join(LEXICONS, file), 'utf8'))),
);
const methods = lexicons.filter(({ defs: { main } }) => METHOD_TYPES.includes(main?.type ?? ''));
const ofGateway = methods.filter(({ id }) => GROUPS.includes(id.split('.')[2] ?? ''));

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

function ask(id: string, type = 'query'): Promise<Response> {
  return fetch(`${gateway.url}/xrpc/${id}`, {
    method: type === 'procedure' ? 'POST' : 'GET',
    ...(type === 'procedure' && { headers: { 'content-type': 'application/json' }, body: '{}' }),
  });
}

/** The first frame of a stream. */
async function listen(id: string): Promise<unknown> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/xrpc/${id}`);
  const [data] = await once(socket, 'message');
  socket.terminate();
  return [...decodeAll(data)];
}

test('every method says what it does', () => {
  expect(methods.filter(({ defs }) => !defs.main?.description).map(({ id }) => id)).toEqual([]);
});

test.each(ofGateway.map(({ id, defs }) => [id, defs.main?.type]))(
  '%s is there',
  async (id, type) => {
    if (type === 'subscription') {
      expect(await listen(id ?? '')).toMatchObject([{ op: -1 }, { error: 'AuthRequired' }]);
    } else expect([200, 400, 401]).toContain((await ask(id ?? '', type)).status);
  },
);

test('what has no lexicon is not there', async () => {
  const answer = await ask('zone.stratos.feed.getNothing');
  expect(answer.status).toBe(501);
  expect(await answer.json()).toMatchObject({ error: 'MethodNotImplemented' });
});
