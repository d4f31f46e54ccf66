import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { expect, test, vi } from 'vitest';
import { Turns } from '../followers/turns.ts';
import { Author } from '../testing/author.ts';
import { LyingNode } from '../testing/lying-node.ts';
import { NodeStream } from './node-stream.ts';
import { proveAhead } from './prove-ahead.ts';
import { readAheadRoom } from './read-ahead.ts';

const MIB = 1024 * 1024;

test('many nodes share the memory that a few have for themselves', () => {
  const nodes = new Set<number>([0]);
  const room = readAheadRoom(nodes);
  expect(room.bytes).toBe(16 * MIB);
  for (let i = 1; i < 500; i++) nodes.add(i);
  expect(room.bytes * nodes.size).toBe(256 * MIB);
  for (let i = 500; i < 5_000; i++) nodes.add(i);
  expect(room.bytes).toBe(MIB / 4);
});

test('of a node, no more is read or proven than there is room for', async () => {
  await using node = await LyingNode.start();
  const author = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  const text = 'x'.repeat(2_000);
  for (let i = 0; i < 200; i++) {
    node.commit(await author.post(`3k${1_000 + i}`, [node.boundary('art')], text));
  }
  const room = { count: 1_000, bytes: 30_000 };
  const { url: endpoint, did: nodeDid } = node;
  const { signal } = new AbortController();
  let arrived = 0;
  using stream = new NodeStream({
    ...{ endpoint, cursor: 0, token: 'any', devMode: true, room, signal },
    onArrival: () => void arrived++,
  });
  await using proven = proveAhead(stream, {
    ...{ nodeDid, room },
    knownKey: () => undefined,
    turns: new Turns(1),
  });
  await vi.waitFor(() => expect(stream.waiting).toBeGreaterThan(0));
  await sleep(500);
  expect(arrived).toBeLessThan(100);
  let taken = 0;
  while (taken < 200) taken += (await proven.take(50))?.length ?? 0;
  expect(arrived).toBeGreaterThanOrEqual(200);
});
