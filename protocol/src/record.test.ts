import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidOf, decodeRecord, encodeRecord } from './record.ts';

const record = {
  $type: 'zone.stratos.feed.post',
  text: 'hello',
  createdAt: '2026-01-01T00:00:00Z',
};

describe('record', () => {
  it('comes back as it went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
        async (value) => {
          const clean = Object.fromEntries(
            Object.entries(value).filter(([key]) => key !== '__proto__'),
          );
          const { bytes, cid } = await encodeRecord(clean);
          expect(await decodeRecord(bytes, cid)).toEqual(clean);
        },
      ),
    );
  });

  it('is refused with any byte changed', async () => {
    const { bytes, cid } = await encodeRecord(record);
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] ?? 0) ^ 1;
      await expect(decodeRecord(changed, cid)).rejects.toMatchObject({ reason: 'wrong-cid' });
    }
  });

  it('is refused in any encoding but the canonical one, though the CID is of those bytes', async () => {
    // {"b": 1, "a": 2}: keys out of order
    const unordered = Uint8Array.from([0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02]);
    await expect(decodeRecord(unordered, await cidOf(unordered))).rejects.toMatchObject({
      name: 'ProofError',
    });
    // 1 written in two bytes
    const long = Uint8Array.from([0xa1, 0x61, 0x61, 0x18, 0x01]);
    await expect(decodeRecord(long, await cidOf(long))).rejects.toMatchObject({
      name: 'ProofError',
    });
    const list = Uint8Array.from([0x80]);
    await expect(decodeRecord(list, await cidOf(list))).rejects.toMatchObject({
      reason: 'malformed',
    });
  });
});
