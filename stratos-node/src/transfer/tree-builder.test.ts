import { type Cid as CidLink, parseCid } from '@atproto/lex-data';
import { MemoryBlockstore, MST } from '@atproto/repo';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blockCid } from './block-cid.ts';
import { TreeBuilder } from './tree-builder.ts';
import { walkTree } from './walk-tree.ts';

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
        builder.add(key, value);
        if (i % 50 === 0) {
          expect(builder.root().cid.toString()).toBe(await judge(leaves.slice(0, i + 1)));
        }
      }
      const { cid, edge } = builder.root();
      for (const [each, bytes] of [...builder.takeClosed(), ...edge]) {
        nodes.set(Buffer.from(each.bytes).toString('hex'), bytes);
      }
      expect(cid.toString()).toBe(await judge(leaves));
      const read = (bytes: Uint8Array) => nodes.get(Buffer.from(bytes).toString('hex'));
      const walked = [...walkTree(parseCid(cid.toString()), read)];
      expect(walked.map(({ key, value }) => [key, String(value)])).toEqual(
        leaves.map(([key, value]) => [key, String(value)]),
      );
    }),
    { numRuns: 40 },
  );
});
