import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { openNodeSession, type Session } from '../session/session.ts';
import { PERSON } from '../testing/dpop-service.ts';
import { exportRepo } from './export-repo.ts';
import { unenroll } from './unenroll.ts';

let servers = new AsyncDisposableStack();
afterEach(async () => {
  await servers.disposeAsync();
  servers = new AsyncDisposableStack();
});

/** A session at a node that answers in some way. */
async function sessionAt(answer: (response: ServerResponse) => void): Promise<Session> {
  const server = createServer(({ url }, response) => {
    if (!url?.endsWith('.createSession')) return answer(response);
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    response.end(JSON.stringify({ did: PERSON, token: 'session', expiresAt }));
  });
  await once(server.listen(0), 'listening');
  servers.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('it listens nowhere');
  const node = { did: 'did:web:node.example', url: `http://localhost:${address.port}` } as const;
  return openNodeSession({
    node,
    pds: { fetchHandler: async () => Response.json({ token: 't' }) },
  });
}

function refused(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status).end(JSON.stringify({ error }));
}

async function readAll(car: ReadableStream<Uint8Array>): Promise<number> {
  return (await new Response(car).arrayBuffer()).byteLength;
}

test('counts what comes', async () => {
  const session = await sessionAt((response) => {
    response.write('12345', () => response.end('678'));
  });
  const counts: number[] = [];
  expect(await readAll(await exportRepo(session, { onProgress: (n) => counts.push(n) }))).toBe(8);
  expect(counts.at(-1)).toBe(8);
});

test('a connection that breaks off is no end', async () => {
  const session = await sessionAt((response) => {
    response.write('12345', () => setTimeout(() => response.destroy(), 20));
  });
  await expect(readAll(await exportRepo(session))).rejects.toMatchObject({
    name: 'UnreachableError',
    code: 'Unreachable',
  });
});

test('neither is one on which nothing comes any more', async () => {
  const silent = await sessionAt((response) => void response.write('12345'));
  await expect(readAll(await exportRepo(silent, { timeoutMs: 1_000 }))).rejects.toMatchObject({
    code: 'TimedOut',
  });
  const mute = await sessionAt(() => {});
  await expect(exportRepo(mute, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TimedOut' });
});

test('a reader may take its time', async () => {
  const session = await sessionAt((response) => {
    response.write('12345', () => response.end('678'));
  });
  const car = await exportRepo(session, { timeoutMs: 1_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(await readAll(car)).toBe(8);
});

test.each(['abort', 'cancel'])('%s ends it at the node too', async (how) => {
  const closed = Promise.withResolvers<void>();
  const session = await sessionAt((response) => {
    response.once('close', () => closed.resolve());
    response.write('12345');
  });
  const stop = new AbortController();
  const reader = (await exportRepo(session, { signal: stop.signal })).getReader();
  await reader.read();
  if (how === 'cancel') await reader.cancel();
  else {
    const next = reader.read();
    stop.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  }
  await closed.promise;
});

test('what is refused says so', async () => {
  const session = await sessionAt((response) => refused(response, 400, 'RepoNotFound'));
  await expect(exportRepo(session)).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'RepoNotFound',
    status: 400,
  });
  const stranger = await sessionAt((response) => refused(response, 403, 'NotEnrolled'));
  await expect(unenroll(stranger)).rejects.toMatchObject({
    name: 'RefusedError',
    code: 'NotEnrolled',
  });
});
