import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { fillLog } from '../testing/fill-log.ts';
import { StreamClient } from '../testing/stream-client.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import type { StreamLimits } from './stream-limits.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const BACKLOG = process.env['STRATOS_TEST_STORAGE'] === 'postgres' ? 10_000 : 100_000;
/** More than the system keeps for connections. */
const UNREAD = 40_000;
const CONSUMERS = 3;
const TIMEOUT_MS = 120_000;

async function nodeWithBacklog(
  events: number,
  streamLimits: Partial<StreamLimits> = {},
): Promise<TestNode> {
  const env = { STRATOS_HEARTBEAT_INTERVAL_MS: '15000' };
  const node = await TestNode.start({ people: [rei, sakura], streamLimits, env });
  for (const person of [rei, sakura]) await node.enroll(person, [SWORDSMITH]);
  const padding = events === UNREAD ? 400 : 0;
  await fillLog(node, rei, { commits: events / 200, opsPerCommit: 200, padding });
  await fillLog(node, sakura, { commits: events, opsPerCommit: 0 });
  return node;
}

it('is sent as fast as it is taken, however long it is', { timeout: TIMEOUT_MS }, async () => {
  await using node = await nodeWithBacklog(BACKLOG);
  await using records = await StreamClient.openRecords(node, rei, { did: rei.did });
  await records.until(({ count }) => count === BACKLOG, TIMEOUT_MS);
  const seqs = records.of('#commit').map(({ seq }) => Number(seq));
  expect(seqs.every((seq, i) => i === 0 || seq > Number(seqs[i - 1]))).toBe(true);

  const head = await node.ctx.service.events.head();
  expect(head).toBeGreaterThan(BACKLOG);
  await using service = await StreamClient.open(node, node.appView, 0);
  const isThere = () => service.tail(1)[0]?.type === '#heartbeat';
  await service.until(isThere, TIMEOUT_MS);
  expect(service.count).toBe(head + 1);
  expect(service.tail(2)[0]?.body['seq']).toBe(head);
});

const OPENERS = {
  subscribeRecords: (node: TestNode) => StreamClient.openRecords(node, rei, { did: rei.did }),
  subscribeService: (node: TestNode) => StreamClient.open(node, node.appView, 0),
};

it.each(Object.entries(OPENERS))(
  'of %s is not kept for a consumer who does not read, who is cut',
  { timeout: TIMEOUT_MS },
  async (_name, open) => {
    await using node = await nodeWithBacklog(UNREAD, { stallAfterMs: 500, lingerMs: 100 });
    await using streams = new AsyncDisposableStack();
    for (let i = 0; i < CONSUMERS; i += 1) {
      const stream = streams.use(await open(node));
      await stream.until(({ count, closed }) => count > 0 || closed);
      await stream.pause();
    }
    const isCut = () => expect(node.ctx.openStreams.total).toBe(0);
    await vi.waitFor(isCut, { timeout: TIMEOUT_MS });
    const { values } = await node.ctx.metrics.frames.get();
    const sent = values.reduce((sum, { value }) => sum + value, 0);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan((CONSUMERS * UNREAD) / 2);
  },
);

it('tells a consumer who was cut why, if they read on', { timeout: TIMEOUT_MS }, async () => {
  await using node = await nodeWithBacklog(UNREAD, { stallAfterMs: 500, lingerMs: TIMEOUT_MS });
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until(({ count }) => count > 0);
  await stream.pause();
  await sleep(3_000);
  stream.resume();
  await stream.until(({ closed }) => closed, TIMEOUT_MS);
  expect(stream.ending).toEqual({ code: 1008, reason: 'ConsumerTooSlow' });
  expect(stream.count).toBeLessThan(UNREAD);
});
