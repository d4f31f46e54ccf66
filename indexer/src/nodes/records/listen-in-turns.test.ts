import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { type Did, SigningKey, toDid } from '@stratos/protocol';
import PQueue from 'p-queue';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from '../../database.ts';
import { createLogger } from '../../logger.ts';
import { OlderNode } from '../../testing/older-node.ts';
import { GarbledStreamError } from '../node-stream.ts';
import { listenInTurns } from './listen-in-turns.ts';

const WAIT = { timeout: 60_000, interval: 50 };
vi.setConfig({ testTimeout: 90_000 });

let opened: AsyncDisposableStack;
let db: Database;
let node: OlderNode;
let mostSockets: number;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  mostSockets = 0;
  const { url } = opened.use(await createTestDatabase());
  db = createPrismaClient(url, { poolSize: 8 });
  opened.defer(() => db.$disconnect());
  node = opened.use(await OlderNode.start());
  await db.node.create({ data: { did: node.did, endpoint: node.url } });
});
afterEach(async () => {
  await opened.disposeAsync();
});

async function addMembers(count: number): Promise<Did[]> {
  const dids = Array.from({ length: count }, (_, i) => {
    return toDid(`did:web:person${String(i).padStart(3, '0')}.example`);
  });
  const member = {
    nodeDid: node.did,
    active: true,
    seq: 1,
    signingKey: SigningKey.generate('P-256').did(),
  };
  const data = dids.map((did) => ({ ...member, did, issuedAt: new Date() }));
  await db.membership.createMany({ data });
  return dids;
}

/** Listens until the test ends. */
function listen(members: number, sockets = new PQueue({ concurrency: 64 })): Promise<void> {
  const stop = new AbortController();
  const listening = listenInTurns(
    {
      ...{ db, sockets, devMode: true, quietMs: 100, logger: createLogger('silent') },
      nodeDid: node.did,
      node: { did: node.did, endpoint: node.url, keys: [] },
      appView: {
        did: toDid('did:web:localhost%3A4000'),
        key: SigningKey.generate('secp256k1'),
      },
      members: () => members,
      onListening: (count) => {
        mostSockets = Math.max(mostSockets, count);
      },
    },
    stop.signal,
  );
  opened.defer(async () => {
    stop.abort();
    await listening.catch(() => {});
  });
  return listening;
}

const turnsOf = (did: Did) => node.turns.filter((turn) => turn.did === did).length;

test('two hundred people on eight sockets all have their turn, before anybody has a second', async () => {
  const dids = await addMembers(200);
  const [talker] = dids;
  const body = { did: talker ?? '', rev: '3kaaaaaaaaaaa', ops: [] };
  const talking = setInterval(() => {
    const seq = (node.frames.get(talker ?? '')?.length ?? 0) + 1;
    node.send(talker ?? '', '#commit', { ...body, seq });
  }, 20);
  opened.defer(() => clearInterval(talking));
  void listen(200);
  await vi.waitFor(() => expect(new Set(node.turns.map(({ did }) => did)).size).toBe(200), WAIT);
  expect(mostSockets).toBe(8);
  expect(new Set(node.turns.slice(0, 200).map(({ did }) => did)).size).toBe(200);
});

test('goes on from where somebody was, in a later turn', async () => {
  const [did] = await addMembers(1);
  if (!did) throw new Error('nobody');
  node.send(did, '#commit', { did, seq: 1, rev: '3kaaaaaaaaaaa', ops: [] });
  void listen(2);
  await vi.waitFor(() => expect(node.turns.at(-1)).toEqual({ did, cursor: 1 }), WAIT);
  expect(node.turns[0]).toEqual({ did, cursor: undefined });
});

test('takes no more sockets than there are for all nodes', async () => {
  await addMembers(20);
  void listen(20, new PQueue({ concurrency: 3 }));
  await vi.waitFor(() => expect(new Set(node.turns.map(({ did }) => did)).size).toBe(20), WAIT);
  expect(mostSockets).toBe(3);
});

test('passes over for longer and longer whose stream fails, and nobody else', async () => {
  const [failing, other] = await addMembers(2);
  if (!failing || !other) throw new Error('nobody');
  node.broken.add(failing);
  void listen(3);
  await vi.waitFor(() => expect(turnsOf(other)).toBeGreaterThan(6), WAIT);
  expect(turnsOf(failing)).toBeLessThan(turnsOf(other));
});

test('ends with a node that sends anything else than a stream', async () => {
  const [did] = await addMembers(9);
  node.send(did ?? '', '#commit', { did: 'did:plc:somebodyelse', seq: 1 });
  await expect(listen(9)).rejects.toBeInstanceOf(GarbledStreamError);
});
