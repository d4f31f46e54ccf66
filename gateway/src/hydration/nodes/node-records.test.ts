import { type AtUri, encodeRecord, toAtUri, toDid } from '@stratos/protocol';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../logger.ts';
import type { RecordValue } from '../posts.ts';
import type { WantedRecord } from './batched-records.ts';
import { NodeCalls } from './node-calls.ts';
import { createNodeRecords } from './node-records.ts';

const [NODE, OTHER] = [toDid('did:web:node.test'), toDid('did:web:other.test')];
const UNAVAILABLE = { reason: 'unavailable' };

type Answer = (uris: readonly AtUri[], signal: AbortSignal) => Promise<Map<AtUri, RecordValue>>;

const recordOf = (uri: AtUri) => ({ text: uri });
const honest: Answer = async (uris) => new Map(uris.map((uri) => [uri, recordOf(uri)]));
const dead: Answer = () => Promise.reject(new Error('refused'));
const silent: Answer = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

/** Records of nodes that answer by a script: each call takes the next answer, and the last for good. */
function scripted(answers: Record<string, Answer[]>, cacheBytes = 1_000_000) {
  const calls: { node: string; uris: number }[] = [];
  const client = {
    records: (node: string, uris: readonly AtUri[], signal: AbortSignal) => {
      const script = answers[node] ?? [];
      const before = calls.filter((call) => call.node === node).length;
      calls.push({ node, uris: uris.length });
      return (script[Math.min(before, script.length - 1)] ?? dead)(uris, signal);
    },
  };
  const nodeCalls = new NodeCalls(createLogger('silent'));
  return { records: createNodeRecords({ client, calls: nodeCalls, cacheBytes }), calls };
}

async function wanted(count: number, node = NODE, from = 0): Promise<WantedRecord[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const uri = toAtUri(`at://did:plc:author/zone.stratos.feed.post/r${from + i}`);
      return { node, uri, cid: (await encodeRecord(recordOf(uri))).cid };
    }),
  );
}

describe('calls', () => {
  test('have a hundred addresses each, and go to each node by itself', async () => {
    const { records, calls } = scripted({ [NODE]: [honest], [OTHER]: [honest] });
    const all = [...(await wanted(250)), ...(await wanted(30, OTHER, 1_000))];
    const found = await records.load(all);
    expect(found).toEqual(all.map(({ uri }) => ({ value: recordOf(uri) })));
    expect(calls.map(({ node, uris }) => `${node} ${uris}`)).toEqual([
      `${NODE} 100`,
      `${NODE} 100`,
      `${NODE} 50`,
      `${OTHER} 30`,
    ]);
  });

  test('are not made for what is known by its CID', async () => {
    const { records, calls } = scripted({ [NODE]: [honest] });
    const all = await wanted(3);
    await records.load(all);
    expect(await records.load(all)).toEqual(all.map(({ uri }) => ({ value: recordOf(uri) })));
    expect(calls).toHaveLength(1);
  });

  test('are not made twice for what is asked for twice at a time', async () => {
    const { records, calls } = scripted({ [NODE]: [honest] });
    const [first, second, third] = await wanted(3);
    if (!first || !second || !third) throw new Error('three were wanted');
    const both = [records.load([first, second, first]), records.load([second, third])];
    expect((await Promise.all(both)).map(({ length }) => length)).toEqual([3, 2]);
    expect(calls.map(({ uris }) => uris)).toEqual([2, 1]);
  });

  test('are made again for what did not fit in memory', async () => {
    const { records, calls } = scripted({ [NODE]: [honest] }, 100);
    const all = await wanted(10);
    await records.load(all);
    await records.load(all);
    expect(calls).toHaveLength(2);
    expect(calls[1]?.uris).toBeGreaterThan(5);
  });
});

describe('a node that lies', () => {
  test('is not believed: what it gives has to be of the CID', async () => {
    const lying: Answer = async (uris) => new Map(uris.map((uri) => [uri, { text: 'a lie' }]));
    const { records } = scripted({ [NODE]: [lying, honest] });
    const [record] = await wanted(1);
    if (!record) throw new Error('one was wanted');
    expect(await records.load([record])).toEqual([{ reason: 'wrong-cid' }]);
    expect(await records.load([record])).toEqual([{ value: recordOf(record.uri) }]);
  });

  test('may give less than it has, and nothing that nobody asked for', async () => {
    const [record, other] = await wanted(2);
    if (!record || !other) throw new Error('two were wanted');
    const more: Answer = async () => new Map([[other.uri, recordOf(other.uri)]]);
    const { records, calls } = scripted({ [NODE]: [more] });
    expect(await records.load([record])).toEqual([{ reason: 'missing' }]);
    await records.load([other]);
    expect(calls).toHaveLength(2);
  });
});

describe('a node that cannot be asked', () => {
  test('takes nothing from what others have', async () => {
    const { records } = scripted({ [NODE]: [dead], [OTHER]: [honest] });
    const [gone, there] = [await wanted(2), await wanted(2, OTHER, 10)];
    const found = await records.load([...gone, ...there]);
    expect(found.slice(0, 2)).toEqual([UNAVAILABLE, UNAVAILABLE]);
    expect(found.slice(2)).toEqual(there.map(({ uri }) => ({ value: recordOf(uri) })));
  });

  test('is given up when its time is over', async () => {
    let aborted = 0;
    const counted: Answer = (uris, signal) => {
      signal.addEventListener('abort', () => aborted++);
      return silent(uris, signal);
    };
    const { records, calls } = scripted({ [NODE]: [counted] });
    expect(await records.load(await wanted(1))).toEqual([UNAVAILABLE]);
    expect([calls.length, aborted]).toEqual([2, 2]);
  });

  test('is asked a second time when it is slow, and then not again', async () => {
    const { records, calls } = scripted({ [NODE]: [silent, honest] });
    const all = await wanted(1);
    expect(await records.load(all)).toEqual(all.map(({ uri }) => ({ value: recordOf(uri) })));
    expect(calls).toHaveLength(2);
  });

  test('costs nothing after it failed three times', async () => {
    const { records, calls } = scripted({ [NODE]: [dead] });
    for (let i = 0; i < 3; i++) await records.load(await wanted(1));
    const before = calls.length;
    for (let i = 0; i < 100; i++) {
      expect(await records.load(await wanted(1))).toEqual([UNAVAILABLE]);
    }
    expect(calls).toHaveLength(before);
  });
});
