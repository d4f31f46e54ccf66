import { decode } from '@atproto/lex-cbor';
import { decodeCid, parseCid } from '@atproto/lex-data';
import { BlockMap, DataDiff, MemoryBlockstore, MST } from '@atproto/repo';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CidBytes, cidBytesOf, textOf } from './cid-bytes.ts';
import { decodeNode, encodeNode, MalformedNodeError, type StoredNode } from './node-codec.ts';
import { MissingNodeError } from './node-source.ts';
import { TreeChange, TreeConflictError } from './tree-change.ts';
import { layerOf } from './tree-node.ts';
import { addCoveringProof, pathTo, type TreeBlocks } from './tree-path.ts';

type Edit = { key: string; value: Uint8Array | undefined };

/** Keys of deep layers are rare; these bring some, which makes trees of several layers. */
const KEYS = Array.from({ length: 3_000 }, (_, i) => `zone.stratos.feed.post/${i.toString(36)}`);
const DEEP = KEYS.filter((key) => layerOf(key) >= 2);
const key = fc.oneof(fc.constantFrom(...KEYS.slice(0, 60)), fc.constantFrom(...DEEP));
const batch = fc.uniqueArray(
  fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }) }),
  { selector: (edit) => edit.key, minLength: 1, maxLength: 12 },
);

/** A store of blocks that `@atproto/repo` writes to as well. */
class Blocks {
  readonly store = new MemoryBlockstore();

  async node(cid: CidBytes): Promise<StoredNode> {
    const bytes = await this.store.getBytes(decodeCid(cid));
    if (!bytes) throw new MissingNodeError();
    return decodeNode(bytes);
  }
}

/** What a batch comes to, of which edits that change nothing are no part. */
function effective(edits: readonly Edit[], there: ReadonlyMap<string, string>): Edit[] {
  return edits.filter(({ key, value }) =>
    value ? there.get(key) !== textOf(cidBytesOf(value)) : there.has(key),
  );
}

it('makes of any changes the same tree, the same difference and the same proof as @atproto/repo', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 12 }), async (batches) => {
      const blocks = new Blocks();
      const there = new Map<string, string>();
      let theirs = await MST.create(blocks.store);
      const empty = TreeChange.ofNothing(blocks).finish();
      let root = empty.root;
      expect(textOf(root)).toBe((await theirs.getPointer()).toString());
      for (const [cid, bytes] of empty.newBlocks) await blocks.store.putBlock(parseCid(cid), bytes);
      for (const edits of batches) {
        const change = new TreeChange(blocks, root);
        const before = theirs;
        const changed = effective(edits, there);
        for (const { key, value } of changed) {
          const isNew = !there.has(key);
          if (!value) {
            await change.remove(key);
            theirs = await theirs.delete(key);
            there.delete(key);
            continue;
          }
          const cid = cidBytesOf(value);
          await change.put(key, cid, { isNew });
          const link = decodeCid(cid);
          theirs = isNew ? await theirs.add(key, link) : await theirs.update(key, link);
          there.set(key, textOf(cid));
        }
        const ours = change.finish();
        const diff = await DataDiff.of(theirs, before);
        expect(textOf(ours.root)).toBe((await theirs.getPointer()).toString());
        expect(new Map(ours.newBlocks)).toEqual(textMap(diff.newMstBlocks));
        const removed = diff.removedCids.toList().map(String).filter(isNode(blocks));
        expect(new Set(ours.removedCids)).toEqual(new Set(await Promise.all(removed)));
        root = ours.root;
        for (const [cid, bytes] of ours.newBlocks)
          await blocks.store.putBlock(parseCid(cid), bytes);
        const proof: TreeBlocks = new Map();
        const expected = new BlockMap();
        for (const { key } of changed) {
          await addCoveringProof(blocks, root, key, proof);
          expected.addMap(await theirs.getCoveringProof(key));
          const path = await pathTo(blocks, root, key);
          expect(path && textOf(path.value)).toBe(there.get(key));
        }
        const proven = [...proof.values()].map(([cid, bytes]) => [textOf(cid), bytes] as const);
        expect(new Map(proven)).toEqual(textMap(expected));
        theirs = MST.load(blocks.store, decodeCid(root));
      }
    }),
    { numRuns: 150 },
  );
});

function textMap(blocks: BlockMap): Map<string, Uint8Array> {
  return new Map(Array.from(blocks, ([cid, bytes]) => [cid.toString(), new Uint8Array(bytes)]));
}

/** `@atproto/repo` counts values that are gone along; they are not in the store here. */
function isNode(blocks: Blocks) {
  const stored = new Set(blocks.store.blocks.keys());
  return (cid: string) => [...stored].some((link) => String(link) === cid);
}

it('refuses to add what is there, to replace what is not and to remove what is not', async () => {
  const value = cidBytesOf(Uint8Array.of(1));
  for (const key of [...KEYS.slice(0, 3), ...DEEP.slice(0, 3)]) {
    const change = TreeChange.ofNothing(new Blocks());
    const put = (isNew: boolean) => change.put(key, value, { isNew });
    await expect(put(false)).rejects.toThrow(TreeConflictError);
    await expect(change.remove(key)).rejects.toThrow(TreeConflictError);
    await put(true);
    await expect(put(true)).rejects.toThrow(TreeConflictError);
    await put(false);
    await change.remove(key);
    expect(change.finish().root).toEqual(TreeChange.ofNothing(new Blocks()).finish().root);
  }
});

it('reads every node as DAG-CBOR does, and no other bytes', () => {
  const value = cidBytesOf(Uint8Array.of(1));
  const leaves = KEYS.slice(0, 300)
    .sort()
    .map((name, i) => ({ key: name + 'x'.repeat(i), value, right: i % 2 ? value : null }));
  const bytes = encodeNode(value, leaves);
  const node = decodeNode(bytes);
  expect(node.leaves.map(({ key }) => key)).toEqual(leaves.map(({ key }) => key));
  const plain = decode(bytes) as { e: { p: number; k: Uint8Array; t: unknown }[]; l: unknown };
  expect(plain.e).toHaveLength(300);
  expect(String(plain.l)).toBe(textOf(value));
  expect(encodeNode(node.left, node.leaves)).toEqual(bytes);
  for (let end = 0; end < 400; end += 1) {
    expect(() => decodeNode(bytes.subarray(0, end))).toThrow(MalformedNodeError);
  }
  expect(() => decodeNode(Uint8Array.of(0xa0))).toThrow(MalformedNodeError);
});
