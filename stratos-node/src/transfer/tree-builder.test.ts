import type { Cid as CidLink } from '@atproto/lex-data';
import { MemoryBlockstore, MST } from '@atproto/repo';
import { walkTree } from '@stratos/protocol';
import { type CidBytes, keyOf, textOf } from '@stratos/protocol/tree';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blockCid } from '../testing/forged-car.ts';
import { TreeBuilder } from './tree-builder.ts';

const rkey = fc.string({
  unit: fc.constantFrom(...'abcdef0123-_.:~'),
  minLength: 1,
  maxLength: 12,
});
const keys = fc
  .uniqueArray(rkey, { maxLength: 300 })
  .map((rkeys) => rkeys.map((key) => `zone.stratos.feed.post/${key}`).sort());

async function judge(leaves: readonly [string, CidLink][]): Promise<string> {
  let tree = await MST.create(new MemoryBlockstore());
  for (const [key, value] of leaves) tree = await tree.add(key, value);
  return (await tree.getPointer()).toString();
}

it('builds the tree that the judge of the field builds, at every step, and walks it back', async () => {
  await fc.assert(
    fc.asyncProperty(keys, async (list) => {
      const leaves = list.map((key): [string, CidLink] => [key, blockCid(Buffer.from(key))]);
      const builder = new TreeBuilder();
      const nodes = new Map<string, Uint8Array>();
      for (const [i, [key, value]] of leaves.entries()) {
        builder.add(key, value.bytes);
        if (i % 50 === 0) {
          expect(textOf(builder.root().cid)).toBe(await judge(leaves.slice(0, i + 1)));
        }
      }
      const { cid, edge } = builder.root();
      for (const [each, bytes] of [...builder.takeClosed(), ...edge]) {
        nodes.set(keyOf(each), bytes);
      }
      expect(textOf(cid)).toBe(await judge(leaves));
      const source = { get: (each: CidBytes) => nodes.get(keyOf(each)) };
      const walked = await Array.fromAsync(walkTree(source, cid));
      expect(walked.map(({ key, value }) => [key, textOf(value)])).toEqual(
        leaves.map(([key, value]) => [key, String(value)]),
      );
    }),
    { numRuns: 40 },
  );
});
