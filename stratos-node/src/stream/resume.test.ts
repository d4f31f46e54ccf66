import { zone } from '@stratos/protocol/lexicons';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ReceivedFrame, StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
const COMMITS = 30;

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  for (let i = 0; i < COMMITS; i += 1) {
    const writes = Array.from({ length: 1 + (i % 3) }, (_, op) => ({
      action: 'create',
      collection: zone.stratos.feed.post.$nsid,
      record: postRecord(`${i}.${op}`),
    }));
    expect((await node.applyWrites(rei, writes)).status).toBe(200);
  }
});
afterAll(() => node[Symbol.asyncDispose]());

const STREAMS = {
  subscribeRecords: (cursor: number) =>
    StreamClient.openRecords(node, rei, { did: rei.did, cursor }),
  subscribeService: (cursor: number) => StreamClient.open(node, node.appView, cursor),
};

/** Events with a position, which heartbeats only repeat. */
const events = (frames: readonly ReceivedFrame[]) =>
  frames.filter(({ type }) => type !== '#heartbeat');

it.each(Object.entries(STREAMS))(
  '%s loses and repeats nothing however often it is cut',
  async (name, open) => {
    const total = name === 'subscribeRecords' ? COMMITS * 2 : COMMITS + 2;
    await using whole = await open(0);
    await whole.until(({ frames }) => events(frames).length >= total);
    const all = events(whole.frames);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: total }), { maxLength: 6 }),
        async (cuts) => {
          const received: ReceivedFrame[] = [];
          for (const cut of [...cuts, total]) {
            const wanted = Math.min(cut, total - received.length);
            if (wanted === 0) continue;
            await using stream = await open(Number(received.at(-1)?.body['seq'] ?? 0));
            await stream.until(({ frames }) => events(frames).length >= wanted);
            received.push(...events(stream.frames).slice(0, wanted));
          }
          expect(received).toEqual(all);
        },
      ),
      { numRuns: 15 },
    );
  },
);
