import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { afterEach, expect, it, vi } from 'vitest';
import { HttpServer } from './http-server.ts';

afterEach(() => void vi.useRealTimers());

it('ends a connection that is kept alive once its last answer is sent', async () => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<express.Response>();
  const app = express();
  app.get('/slow', (_req, res) => onAsked(res));
  const server = await HttpServer.listen(app, 0, '127.0.0.1');
  const client = connect(server.port, '127.0.0.1');
  client.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const res = await asked;
  // @NOTE neither the time for draining nor the one for idle connections ends it
  (res.socket as object as { server: Server }).server.keepAliveTimeout = 0;
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const stopped = server[Symbol.asyncDispose]();
  client.on('data', () => undefined);
  const closed = once(client, 'close');
  res.set('Connection', 'keep-alive').send('the last answer');
  await stopped;
  await closed;
  expect(client.bytesRead).toBeGreaterThan(0);
});
