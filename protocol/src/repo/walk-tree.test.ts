import { setImmediate } from 'node:timers/promises';
import { encode } from '@atproto/lex-cbor';
import type { Cid as CidLink, LexValue } from '@atproto/lex-data';
import { BlockMap, Leaf, MemoryBlockstore, MST } from '@atproto/repo';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CidBytes, textOf } from '../tree/cid-bytes.ts';
import { layerOf } from '../tree/tree-node.ts';
import { blockCid, sourceOf } from './testing/blocks.ts';
import { walkTree } from './walk-tree.ts';

const value = blockCid(encode({ a: 'record' }));
const rkey = fc.string({
  unit: fc.constantFrom(...'abcdef0123-_.:~'),
  minLength: 1,
  maxLength: 12,
});
const keys = fc
  .uniqueArray(rkey, { maxLength: 120 })
  .map((rkeys) => rkeys.map((each) => `a.b/${each}`));

async function treeOf(list: Iterable<string>) {
  let tree = await MST.create(new MemoryBlockstore());
  for (const each of list) tree = await tree.add(each, value);
  return tree.getUnstoredBlocks();
}

async function keysOf(blocks: BlockMap, root: CidLink): Promise<string[]> {
  return (await Array.fromAsync(walkTree(sourceOf(blocks), root.bytes))).map(({ key }) => key);
}

function put(blocks: BlockMap, node: LexValue): CidLink {
  const bytes = encode(node);
  const cid = blockCid(bytes);
  blocks.set(cid, bytes);
  return cid;
}

const entry = (key: string, shared = 0, right: CidLink | null = null) => ({
  p: shared,
  k: Buffer.from(key).subarray(shared),
  v: value,
  t: right,
});

/** A key of that height. */
function keyAt(layer: number, after = 0): string {
  for (let i = after; ; i++) if (layerOf(`a.b/${i}`) === layer) return `a.b/${i}`;
}

it('reads any tree, in order, with all its nodes', async () => {
  await fc.assert(
    fc.asyncProperty(keys, async (list) => {
      const { root, blocks } = await treeOf(list);
      const nodes = new Set<string>();
      const onNode = (cid: CidBytes) => void nodes.add(textOf(cid));
      const entries = await Array.fromAsync(walkTree(sourceOf(blocks), root.bytes, { onNode }));
      expect(entries.map(({ key }) => key)).toEqual(list.toSorted());
      expect([...nodes].toSorted()).toEqual(blocks.cids().map(String).toSorted());
    }),
    { numRuns: 60 },
  );
});

it('refuses a tree of which any part is missing, or another', async () => {
  const { root, blocks } = await treeOf(Array.from({ length: 60 }, (_, i) => `a.b/${i}`));
  expect(blocks.size).toBeGreaterThan(5);
  for (const { cid, bytes } of blocks.entries()) {
    const rest = new BlockMap(blocks).delete(cid);
    await expect(keysOf(rest, root)).rejects.toMatchObject({ reason: 'not-included' });
    const flipped = Buffer.from(bytes);
    flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
    rest.set(cid, flipped);
    await expect(keysOf(rest, root)).rejects.toMatchObject({ reason: 'wrong-cid' });
  }
});

describe('refuses a tree that is not the one of its entries:', () => {
  const blocks = new BlockMap();
  const [low, lower] = [keyAt(0), keyAt(0, 100)];
  const [one, two] = [keyAt(1), keyAt(2)];
  const below = put(blocks, { l: null, e: [entry(low)] });
  const cases: Record<string, [reason: string, node: LexValue]> = {
    'out of order': ['not-canonical', { l: null, e: [entry('a.b/8'), entry('a.b/5', 4)] }],
    'a key twice': ['not-canonical', { l: null, e: [entry(low), entry(low, low.length)] }],
    'another layer': ['not-canonical', { l: null, e: [entry(low), entry(two, 4)] }],
    'a layer left out': ['not-canonical', { l: below, e: [entry(two)] }],
    'something below the leaves': ['not-canonical', { l: below, e: [entry(lower)] }],
    'a node too many': ['not-canonical', { l: below, e: [] }],
    'a node that is empty': [
      'not-canonical',
      { l: put(blocks, { l: null, e: [] }), e: [entry(one)] },
    ],
    'a key not shortened': ['not-canonical', { l: null, e: [entry(low), entry(lower)] }],
    'a key shortened by more than there is': [
      'not-canonical',
      { l: null, e: [{ ...entry(low), p: 4 }] },
    ],
    'a key that is none': ['malformed', { l: null, e: [entry('a.b/c/d')] }],
    'a key without end': ['malformed', { l: null, e: [entry(`a.b/${'x'.repeat(1_000)}`)] }],
    'a further field': ['malformed', { l: null, e: [], more: 1 }],
    'a further field of an entry': ['malformed', { l: null, e: [{ ...entry(low), more: 1 }] }],
    'no list': ['malformed', { l: null }],
    'no map': ['malformed', [1, 2]],
    'no link': ['malformed', { l: null, e: [{ ...entry(low), v: 'a link' }] }],
  };
  it.each(Object.entries(cases))('%s', async (_, [reason, node]) => {
    await expect(keysOf(blocks, put(blocks, node))).rejects.toMatchObject({ reason });
  });

  it('which only leads further down is taken', async () => {
    const between = put(blocks, { l: below, e: [] });
    const root = put(blocks, { l: between, e: [entry(two)] });
    expect((await treeOf([low, two])).root.toString()).toBe(root.toString());
    expect(await keysOf(blocks, root)).toEqual([low, two]);
  });

  it('encoded in another way', async () => {
    const { root, blocks: canonical } = await treeOf([low]);
    const bytes = Buffer.from(canonical.get(root) ?? []);
    const count = bytes.indexOf(0x81);
    const others = [
      Buffer.concat([bytes, Uint8Array.of(0)]),
      Buffer.concat([bytes.subarray(0, count), Uint8Array.of(0x98, 1), bytes.subarray(count + 1)]),
    ];
    for (const other of others) {
      canonical.set(blockCid(other), other);
      await expect(keysOf(canonical, blockCid(other))).rejects.toMatchObject({
        reason: 'not-canonical',
      });
    }
  });
});

it('refuses nodes without entries, however deep', async () => {
  const blocks = new BlockMap();
  let root = put(blocks, { l: null, e: [entry(keyAt(0))] });
  for (let depth = 0; depth < 10_000; depth++) root = put(blocks, { l: root, e: [] });
  root = put(blocks, { l: root, e: [entry(keyAt(2))] });
  let read = 0;
  const source = {
    get(cid: CidBytes) {
      read++;
      return sourceOf(blocks).get(cid);
    },
  };
  await expect(Array.fromAsync(walkTree(source, root.bytes))).rejects.toMatchObject({
    reason: 'not-canonical',
  });
  expect(read).toBeLessThan(10);
});

it('does not follow one part of a tree twice', async () => {
  const blocks = new BlockMap();
  let node = put(blocks, { l: null, e: [entry(keyAt(0))] });
  for (let layer = 1; layer < 4; layer++) {
    node = put(blocks, { l: node, e: [entry(keyAt(layer), 0, node)] });
  }
  await expect(keysOf(blocks, node)).rejects.toMatchObject({ reason: 'not-canonical' });
});

it('refuses what a lie about one node made of any tree', async () => {
  const lies = fc.record({
    list: fc.uniqueArray(rkey, { minLength: 20, maxLength: 60 }),
    at: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(lies, async ({ list, at }) => {
      const sorted = list.map((each) => `a.b/${each}`).toSorted();
      const leaves = sorted.map((each) => new Leaf(each, value));
      const split = 1 + (at % (leaves.length - 1));
      // Two nodes where the heights of the keys would have made others.
      const storage = new MemoryBlockstore();
      const left = await MST.create(storage, leaves.slice(0, split));
      const tree = await MST.create(storage, [left, ...leaves.slice(split)]);
      const { root, blocks } = await tree.getUnstoredBlocks();
      const honest = await treeOf(sorted);
      if (honest.root.equals(root)) return;
      await expect(keysOf(blocks, root)).rejects.toMatchObject({ reason: 'not-canonical' });
    }),
    { numRuns: 40 },
  );
});

it('lets others have their turn', async () => {
  const { root, blocks } = await treeOf(Array.from({ length: 2_000 }, (_, i) => `a.b/${i}`));
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns++) await setImmediate();
  })();
  await keysOf(blocks, root);
  isDone = true;
  await others;
  expect(turns).toBeGreaterThan(5);
});
