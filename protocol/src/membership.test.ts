import { describe, expect, it } from 'vitest';
import type { Boundary } from './boundary.ts';
import { toDid } from './identifiers.ts';
import { type MembershipEntry, signMembershipEntry, verifyMembershipEntry } from './membership.ts';
import { SigningKey } from './signing-key.ts';

const service = toDid('did:web:localhost%3A3100');
const did = toDid('did:plc:z72i7hdynmk6r22z27h6tvur');
const node = SigningKey.generate('secp256k1');
const keys = [node.did()];
const first: MembershipEntry = {
  seq: 1,
  prev: undefined,
  service,
  did,
  active: true,
  boundaries: [`${service}/swordsmith` as Boundary, `${service}/aekea` as Boundary],
  signingKey: SigningKey.generate('P-256').did(),
  issuedAt: new Date('2026-01-01T00:00:00.000Z'),
};

async function chain() {
  const one = await signMembershipEntry(first, node);
  const two = await signMembershipEntry({ ...first, seq: 2, prev: one.cid, boundaries: [] }, node);
  return { one, two };
}

describe('membership log', () => {
  it('verifies as a chain', async () => {
    const { one, two } = await chain();
    const a = await verifyMembershipEntry(one.bytes, { service, keys, previous: undefined });
    const b = await verifyMembershipEntry(two.bytes, {
      service,
      keys,
      previous: { seq: 1, cid: a.cid },
    });
    expect(a.entry.boundaries).toEqual([`${service}/aekea`, `${service}/swordsmith`]);
    expect(a.entry.issuedAt).toEqual(first.issuedAt);
    expect(b.entry).toMatchObject({ seq: 2, prev: one.cid, boundaries: [] });
  });

  it('refuses a replayed, skipped or re-rooted entry', async () => {
    const { one, two } = await chain();
    const after = (previous: { seq: number; cid: typeof one.cid } | undefined, bytes: Uint8Array) =>
      verifyMembershipEntry(bytes, { service, keys, previous });
    await expect(after({ seq: 1, cid: one.cid }, one.bytes)).rejects.toMatchObject({
      reason: 'broken-chain',
    });
    await expect(after({ seq: 2, cid: two.cid }, one.bytes)).rejects.toMatchObject({
      reason: 'broken-chain',
    });
    await expect(after(undefined, two.bytes)).rejects.toMatchObject({ reason: 'broken-chain' });
    await expect(after({ seq: 1, cid: two.cid }, two.bytes)).rejects.toMatchObject({
      reason: 'broken-chain',
    });
  });

  it('refuses another signer, another node, and foreign boundaries', async () => {
    const { one } = await chain();
    const other = SigningKey.generate('secp256k1');
    await expect(
      verifyMembershipEntry(one.bytes, { service, keys: [other.did()], previous: undefined }),
    ).rejects.toMatchObject({ reason: 'bad-signature' });
    await expect(
      verifyMembershipEntry(one.bytes, {
        service: toDid('did:web:other.example'),
        keys,
        previous: undefined,
      }),
    ).rejects.toMatchObject({ reason: 'wrong-service' });
    const foreign = await signMembershipEntry(
      { ...first, boundaries: ['did:web:other.example/art' as Boundary] },
      node,
    );
    await expect(
      verifyMembershipEntry(foreign.bytes, { service, keys, previous: undefined }),
    ).rejects.toMatchObject({ reason: 'wrong-boundary' });
  });

  it('refuses every single flipped bit', async () => {
    const { one } = await chain();
    for (let i = 0; i < one.bytes.length; i++) {
      const flipped = one.bytes.slice();
      flipped[i] = (flipped[i] ?? 0) ^ 1;
      await expect(
        verifyMembershipEntry(flipped, { service, keys, previous: undefined }),
      ).rejects.toThrow();
    }
  });
});
