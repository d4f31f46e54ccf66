import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Boundary, qualifyBoundary, sortedBoundaries } from './boundary.ts';
import { ProofError } from './errors.ts';
import { type Did, toDid } from './identifiers.ts';
import { type SignedMembershipEntry, signMembershipEntry } from './membership.ts';
import { verifyMembershipLog } from './membership-log.ts';
import { SigningKey } from './signing-key.ts';

const service = toDid('did:web:localhost%3A3100');
const node = SigningKey.generate('secp256k1');
const options = { service, keys: [node.did()] };
const signingKey = SigningKey.generate('P-256').did();
const people = ['a', 'b', 'c'].map((name) => toDid(`did:plc:${name.repeat(24)}`));
const boundaries = ['aekea', 'sailors', 'swordsmith'].map((name) => qualifyBoundary(service, name));

interface Change {
  did: Did;
  active: boolean;
  boundaries: Boundary[];
}
const change: fc.Arbitrary<Change> = fc.record({
  did: fc.constantFrom(...people),
  active: fc.boolean(),
  boundaries: fc.subarray(boundaries),
});

async function logOf(changes: readonly Change[]): Promise<Uint8Array[]> {
  let last: SignedMembershipEntry | undefined;
  const log: Uint8Array[] = [];
  for (const [i, each] of changes.entries()) {
    const issuedAt = new Date(Date.UTC(2026, 0, 1, 0, i));
    const entry = { ...each, seq: i + 1, prev: last?.cid, service, signingKey, issuedAt };
    last = await signMembershipEntry(entry, node);
    log.push(last.bytes);
  }
  return log;
}

const bytesOf = (entry: Uint8Array | undefined) => entry ?? new Uint8Array();

/** Ways to alter a log other than at its end. */
type Tampering = (log: Uint8Array[], at: number) => Uint8Array[];
const TAMPERINGS: Record<string, Tampering> = {
  'an entry is left out': (log, at) => log.toSpliced(at, 1),
  'an entry comes twice': (log, at) => log.toSpliced(at, 0, bytesOf(log[at])),
  'two entries change places': (log, at) =>
    log.toSpliced(at, 2, bytesOf(log[at + 1]), bytesOf(log[at])),
  'a bit is flipped': (log, at) => {
    const flipped = bytesOf(log[at]).slice();
    const byte = (at * 37) % flipped.length;
    flipped[byte] = (flipped[byte] ?? 0) ^ 1;
    return log.with(at, flipped);
  },
  'an entry is cut short': (log, at) => log.with(at, bytesOf(log[at]).slice(0, -1)),
};

describe('a membership log', () => {
  it('says where everybody stands at its end, and has a head', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const { head, standings } = await verifyMembershipLog(await logOf(changes), options);
        const last = new Map(changes.map(({ did, ...standing }, i) => [did, { standing, i }]));
        expect(head?.seq ?? 0).toBe(changes.length);
        expect([...standings.keys()].sort()).toEqual([...last.keys()].sort());
        for (const [did, { standing, i }] of last) {
          expect(standings.get(did)).toMatchObject({
            active: standing.active,
            boundaries: sortedBoundaries(standing.boundaries),
            signingKey,
            seq: i + 1,
          });
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(Object.entries(TAMPERINGS))('does not hold when %s', async (_, tamper) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 2, maxLength: 8 }),
        fc.nat(),
        async (changes, n) => {
          const log = await logOf(changes);
          const tampered = tamper(log, n % (log.length - 1));
          await expect(verifyMembershipLog(tampered, options)).rejects.toThrow(ProofError);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('names the first entry that does not hold, and why', async () => {
    const all = people.map((did) => ({ did, active: true, boundaries: [] }));
    const [one, , three] = await logOf(all);
    await expect(
      verifyMembershipLog([bytesOf(one), bytesOf(three)], options),
    ).rejects.toMatchObject({
      reason: 'broken-chain',
      message: expect.stringMatching(/^entry 2: /),
    });
    await expect(
      verifyMembershipLog([bytesOf(one)], { ...options, keys: [signingKey] }),
    ).rejects.toMatchObject({ reason: 'bad-signature' });
  });

  it('can be checked page by page as it comes', async () => {
    const log = await logOf(people.map((did) => ({ did, active: true, boundaries: [] })));
    async function* pages() {
      yield* log;
    }
    expect(await verifyMembershipLog(pages(), options)).toEqual(
      await verifyMembershipLog(log, options),
    );
  });

  it('may be empty', async () => {
    const { head, standings } = await verifyMembershipLog([], options);
    expect([head, standings.size]).toEqual([undefined, 0]);
  });
});
