import { type CidBytes, cidBytesOf } from '@stratos/protocol/tree';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockIndex } from './block-index.ts';
import { BlockSpool } from './block-spool.ts';

const block = (bytes: Uint8Array) => ({ cid: cidBytesOf(bytes), bytes });

test('gives back every block, of any size, and no other', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(20_000), fc.constant(4096 - 40)), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { maxLength: 4 }), async (pages) => {
      await using spool = await BlockSpool.open();
      let n = 0;
      const blocks = pages.map((page) => page.map((size) => block(Buffer.alloc(size, `${n++} `))));
      for (const page of blocks) await spool.add(page);
      for (const { cid, bytes } of blocks.flat()) expect(spool.get(cid)).toEqual(bytes);
      expect(spool.get(block(Buffer.from('another')).cid)).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});

test('finds blocks whose digests begin alike', async () => {
  const alike = (last: number): CidBytes => {
    const cid = cidBytesOf(Buffer.from('any'));
    cid[35] = last;
    return cid;
  };
  await using spool = await BlockSpool.open();
  const blocks = [1, 2, 3].map((last) => ({ cid: alike(last), bytes: Buffer.from([last]) }));
  await spool.add(blocks);
  for (const { cid, bytes } of blocks) expect(spool.get(cid)).toEqual(bytes);
  expect(spool.get(alike(4))).toBeUndefined();
});

test('finds a hundred thousand blocks in little memory', () => {
  const index = new BlockIndex();
  const cidOf = (i: number) => cidBytesOf(Buffer.from(`${i}`));
  for (let i = 0; i < 100_000; i++) index.add(cidOf(i), i);
  expect(index.count).toBe(100_000);
  for (let i = 0; i < 100_000; i += 7) expect([...index.positions(cidOf(i))]).toContain(i);
  const strangers = Array.from({ length: 1_000 }, (_, i) => [...index.positions(cidOf(-1 - i))]);
  expect(strangers.flat().length).toBeLessThan(5);
});
