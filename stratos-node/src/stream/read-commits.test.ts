import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { framesOf } from './frames.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const late = TestPerson.named('late');
const RECORD_BYTES = 100_000;
const large = (text: string) => ({ ...postRecord(text), more: 'x'.repeat(RECORD_BYTES) });

it('reads no more of large commits at once than a consumer may have in memory', async () => {
  await using node = await TestNode.start({ people: [rei, sakura, late] });
  for (const person of [rei, sakura]) await node.enroll(person, [SWORDSMITH]);
  for (let i = 0; i < 15; i += 1) {
    await node.createPost(rei, large(`${i}`));
    await node.createPost(sakura, large(`${i}`));
  }
  await node.enroll(late, [SWORDSMITH]);
  const { events } = node.ctx.service;
  const log = await events.after(0, 100);
  for (let seen = 0; seen < log.length; ) {
    const frames = await framesOf(node.ctx, log.slice(seen));
    const bytes = frames.reduce((sum, frame) => sum + (frame?.toBytes().length ?? 0), 0);
    expect(frames.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(2.2 * 1024 * 1024);
    seen += frames.length;
  }
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const seqs = stream.frames.flatMap(({ type, body }) =>
    type === '#heartbeat' ? [] : body['seq'],
  );
  expect(seqs).toEqual(log.map(({ seq }) => seq));
});

it('sends a commit that is larger than that by itself', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const writes = Array.from({ length: 12 }, (_, i) => ({
    $type: 'com.atproto.repo.applyWrites#create',
    collection: zone.stratos.feed.post.$nsid,
    value: large(`${i}`),
  }));
  for (let i = 0; i < 3; i += 1) expect((await node.applyWrites(rei, writes)).status).toBe(200);
  await using stream = await StreamClient.open(node, node.appView, 0);
  await stream.until((client) => client.of('#heartbeat').length > 0);
  const sizes = stream.of('#commit').map(({ blocks }) => (blocks as Uint8Array).length);
  expect(sizes.slice(1).every((size) => size > 12 * RECORD_BYTES)).toBe(true);
  expect(sizes.length).toBe(4);
});
