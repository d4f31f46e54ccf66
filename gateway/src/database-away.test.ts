import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayLogin, migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { expect, test, vi } from 'vitest';
import { createLogger } from './logger.ts';
import { LiveClient } from './testing/live-client.ts';
import { type Answer, graphql, send, trpc, xrpc } from './testing/surfaces.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const DATABASE = 'appview';
const node = toDid('did:web:node.test');
const PATH = `/blob/${node}/${node}/a/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku`;

vi.mock('./logger.ts', { spy: true });

test('a gateway whose database goes away says so, and goes on when it is back', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-away-'));
  const start = (port: number) => startEmbeddedPostgres({ dataDir, port, persistent: true });
  await using first = await start(0);
  const { port } = first;
  await first.createDatabase(DATABASE);
  await migrate(first.url(DATABASE));
  const gatewayUrl = await createGatewayLogin(first.url(DATABASE), 'a password of its own');
  await using gateway = await startTestGateway({ DATABASE_URL: gatewayUrl });
  const logger = vi.mocked(createLogger).mock.results.at(-1)?.value;
  const [error, info] = [vi.spyOn(logger, 'error'), vi.spyOn(logger, 'info')];
  const token = await gateway.session(gateway.people.add('alice'));
  const headers = { authorization: `Bearer ${token}` };
  const asks: [string, () => Promise<Answer>][] = [
    ['GraphQL', () => graphql(gateway.url, token, '{ boundaries { uri } }')],
    ['tRPC', () => trpc(gateway.url, token, 'boundaries')],
    ['XRPC', () => xrpc(gateway.url, token, zone.stratos.boundary.listBoundaries.$nsid)],
    ['a file', () => send(gateway.url + PATH, { headers })],
    ['readiness', () => send(`${gateway.url}/ready`)],
  ];
  const statuses = async () => Promise.all(asks.map(async ([, ask]) => (await ask()).status));
  expect(await statuses()).toEqual([200, 200, 200, 404, 200]);

  await first[Symbol.asyncDispose]();
  for (let round = 0; round < 2; round++) {
    for (const [door, ask] of asks.slice(0, 4)) {
      const { status, body } = await ask();
      expect([door, status]).toEqual([door, door === 'GraphQL' ? 200 : 503]);
      expect(body).toMatch(/"UNAVAILABLE"|"Unavailable"/);
      expect(body).toContain('cannot reach its database');
    }
    expect((await send(`${gateway.url}/ready`)).status).toBe(503);
  }
  await using follower = await LiveClient.open(gateway.url, token);
  expect(JSON.stringify(follower.errors)).toContain('UNAVAILABLE');
  const lines = error.mock.calls.filter(
    ([, message]) => message === 'the database cannot be asked',
  );
  // Those of requests, and those of live updates.
  expect(lines).toHaveLength(2);

  await using _second = await start(port);
  await expect.poll(statuses, { timeout: 20_000 }).toEqual([200, 200, 200, 404, 200]);
  expect(info.mock.calls.flat()).toContain('the database can be asked again');
  await using again = await LiveClient.open(gateway.url, token);
  expect(again.events.map(({ __typename }) => __typename)).toEqual(['StreamOpened']);
}, 90_000);
