import { setImmediate } from 'node:timers/promises';
import { BlockMap, Leaf, MemoryBlockstore, MST } from '@atproto/repo';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTree } from './repo-tree.ts';

const cid = await new BlockMap().add({ a: 'record' });
const key = fc.stringMatching(/^[a-z]{1,3}\/[a-z0-9]{1,6}$/);

async function treeOf(keys: Iterable<string>): Promise<MST> {
  let tree = await MST.create(new MemoryBlockstore());
  for (const each of keys) tree = await tree.add(each, cid);
  return tree;
}

async function stored(tree: MST) {
  return tree.getUnstoredBlocks();
}

test('reads any tree, in order', async () => {
  const keys = fc.uniqueArray(key, { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(keys, async (unordered) => {
      const { root, blocks } = await stored(await treeOf(unordered));
      const leaves = await readTree(blocks, root);
      expect(leaves.map((leaf) => leaf.key)).toEqual(unordered.toSorted());
    }),
    { numRuns: 40 },
  );
});

test('refuses a tree of which any part is missing', async () => {
  const keys = Array.from({ length: 60 }, (_, i) => `a.b/${i}`);
  const { root, blocks } = await stored(await treeOf(keys));
  expect(blocks.size).toBeGreaterThan(5);
  for (const missing of blocks.cids()) {
    const rest = new BlockMap(blocks).delete(missing);
    await expect(readTree(rest, root)).rejects.toMatchObject({ reason: 'not-included' });
  }
});

test.each<[string, string[]]>([
  ['in one node, whatever their layers', Array.from({ length: 12 }, (_, i) => `a.b/${10 + i}`)],
  ['out of order', ['a.b/2', 'a.b/1']],
  ['twice', ['a.b/1', 'a.b/1']],
])('refuses a tree that has its entries %s', async (_, keys) => {
  const entries = keys.map((each) => new Leaf(each, cid));
  const tree = await MST.create(new MemoryBlockstore(), entries);
  const { root, blocks } = await stored(tree);
  await expect(readTree(blocks, root)).rejects.toMatchObject({ reason: 'not-canonical' });
});

test('refuses nodes without entries, however deep', async () => {
  const storage = new MemoryBlockstore();
  let tree = await treeOf([]);
  const all = new BlockMap();
  for (let depth = 0; depth < 1_000; depth++) {
    all.addMap((await serialized(tree)).blocks);
    tree = await MST.create(storage, [MST.load(storage, await tree.getPointer())]);
  }
  const { root, blocks } = await serialized(tree);
  await expect(readTree(all.addMap(blocks), root)).rejects.toMatchObject({
    reason: 'not-canonical',
  });
});

test('lets others have their turn', async () => {
  const { root, blocks } = await stored(
    await treeOf(Array.from({ length: 2_000 }, (_, i) => `a.b/${i}`)),
  );
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    for (; !isDone; turns++) await setImmediate();
  })();
  await readTree(blocks, root);
  isDone = true;
  await others;
  expect(turns).toBeGreaterThan(10);
});

async function serialized(tree: MST) {
  const { cid: root, bytes } = await tree.serialize();
  return { root, blocks: new BlockMap([[root, bytes]]) };
}
