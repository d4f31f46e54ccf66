import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuardedFetch, SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchRepo } from './fetch-repo.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let server: ReturnType<typeof createServer>;
let answer: (response: ServerResponse) => void;
let endpoint: string;

beforeEach(async () => {
  server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://localhost:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function fetched(signal = new AbortController().signal) {
  return fetchRepo(
    {
      fetch: createGuardedFetch({ devMode: true, timeoutMs: 60_000 }),
      appView: { did: toDid('did:web:localhost%3A4000'), key: SigningKey.generate('secp256k1') },
      node: { did: toDid('did:web:node.example'), endpoint },
      signal,
    },
    REI,
  );
}

test('a node that goes on after something that is no CAR is let go', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  answer = (response) => {
    response.on('close', resolve);
    response.writeHead(200).write(Uint8Array.of(1, 2, 3, 4, 5));
  };
  await expect(fetched()).rejects.toMatchObject({ reason: 'malformed' });
  await closed;
});

test('a fetch ends with the indexer, also while nothing comes', async () => {
  const stop = new AbortController();
  answer = (response) => {
    response.writeHead(200).flushHeaders();
    setTimeout(() => stop.abort(), 50);
  };
  await expect(fetched(stop.signal)).rejects.toThrow();
});

test.each([
  [404, true],
  [500, false],
])('an answer of %d is no repo', async (status, isMissing) => {
  answer = (response) => void response.writeHead(status).end();
  await expect(fetched()).rejects.toMatchObject({ name: 'RepoFetchError', isMissing });
});
