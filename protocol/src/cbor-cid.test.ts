import { cidForCbor } from '@atproto/lex-data';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cborCid } from './cbor-cid.ts';

it('is the CID that everybody else has for a block', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (block) => {
      expect(cborCid(block)).toBe((await cidForCbor(block)).toString());
    }),
  );
});
