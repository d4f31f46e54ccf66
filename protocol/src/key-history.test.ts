import { expect, it } from 'vitest';
import { ProofError } from './errors.ts';
import { type Did, toDid } from './identifiers.ts';
import { keysOfEntry, signKeyHandover, verifyKeyHistory } from './key-history.ts';
import { type SignedMembershipEntry, signMembershipEntry } from './membership.ts';
import { verifyMembershipLog } from './membership-log.ts';
import { SigningKey } from './signing-key.ts';

const did = toDid('did:web:node.example.com');
const first = SigningKey.generate('secp256k1');
const second = SigningKey.generate('secp256k1');
const third = SigningKey.generate('secp256k1');
const TIMES = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'];

interface Published {
  key: string;
  validFrom: string;
  validUntil?: string;
  membershipSeq: number;
  sig?: Uint8Array | { $bytes: string };
}

/** The history of a node that had each key, the n-th beginning at entry `seqs[n]`. */
async function historyOf(
  keys: readonly SigningKey[],
  seqs: readonly number[],
  node: Did = did,
): Promise<Published[]> {
  return Promise.all(
    keys.map(async (key, i) => {
      const previous = keys[i - 1];
      const validFrom = TIMES[i] ?? '';
      const membershipSeq = seqs[i] ?? 1;
      const validity = { validFrom: new Date(validFrom), membershipSeq };
      const handover = { did: node, key: key.did(), ...validity };
      return {
        key: key.did(),
        validFrom,
        ...(i < keys.length - 1 && { validUntil: TIMES[i + 1] ?? '' }),
        membershipSeq,
        ...(previous && { sig: await signKeyHandover(handover, previous) }),
      };
    }),
  );
}

function failure(keys: readonly unknown[], currentKeys = [third.did()]): unknown {
  try {
    verifyKeyHistory(keys, { did, currentKeys });
    return undefined;
  } catch (error) {
    return error instanceof ProofError ? error.reason : error;
  }
}

it('holds from the first key to the one of the DID document', async () => {
  const history = await historyOf([first, second, third], [1, 3, 3]);
  const asJson = history.map(({ sig, ...key }) => ({
    ...key,
    ...(sig instanceof Uint8Array && { sig: { $bytes: Buffer.from(sig).toString('base64') } }),
  }));
  for (const keys of [history, asJson]) {
    const periods = verifyKeyHistory(keys, { did, currentKeys: [third.did()] });
    const owners = [1, 2, 3, 4].map((seq) => keysOfEntry(periods, seq));
    expect(owners).toEqual([[first.did()], [first.did()], [third.did()], [third.did()]]);
  }
});

it('does not hold when any part of it is not as it was signed', async () => {
  const history = await historyOf([first, second, third], [1, 3, 5]);
  const change = (index: number, part: Partial<Published>) =>
    history.map((each, i) => (i === index ? { ...each, ...part } : each));
  const stranger = SigningKey.generate('secp256k1');
  const elsewhere = await historyOf([first, second, third], [1, 3, 5], toDid('did:web:other.test'));
  const cases: [string, unknown, unknown][] = [
    ['nothing', [], 'broken-chain'],
    ['another node', elsewhere, 'bad-signature'],
    ['another place in the log', change(1, { membershipSeq: 2 }), 'bad-signature'],
    ['a first key that begins late', change(0, { membershipSeq: 2 }), 'broken-chain'],
    ['a log that goes back', change(2, { membershipSeq: 2 }), 'broken-chain'],
    ['a key left out', [history[0], history[2]], 'broken-chain'],
    ['a key put in', change(1, { key: stranger.did() }), 'bad-signature'],
    ['no signature', history.map(({ sig: _, ...each }) => each), 'bad-signature'],
    ['an end that is later', change(0, { validUntil: TIMES[2] ?? '' }), 'broken-chain'],
    ['a newest key that has ended', change(2, { validUntil: TIMES[2] ?? '' }), 'broken-chain'],
    ['a key of another kind', change(1, { key: SigningKey.generate('P-256').did() }), 'malformed'],
    ['no key', change(1, { key: 'zQ3sh' }), 'malformed'],
    ['no object', [null], 'malformed'],
  ];
  for (const [what, keys, reason] of cases) {
    expect([what, failure(keys as unknown[])]).toEqual([what, reason]);
  }
  expect(failure(history)).toBeUndefined();
  expect(failure(history, [stranger.did()])).toBe('broken-chain');
  expect(failure(history.slice(0, 2), [second.did()])).toBe('broken-chain');
});

it('lets no key sign an entry of the log before its beginning or after its end', async () => {
  const periods = verifyKeyHistory(await historyOf([first, second], [1, 3]), {
    did,
    currentKeys: [second.did()],
  });
  const keys = [second.did()];
  for (const [signers, isGood] of [
    [[first, first, second, second], true],
    [[first, first, first, second], false],
    [[first, second, second, second], false],
  ] as const) {
    const log = await logBy(signers);
    const verified = verifyMembershipLog(log, { service: did, keys, history: periods });
    if (isGood) expect((await verified).head?.seq).toBe(4);
    else await expect(verified).rejects.toMatchObject({ reason: 'bad-signature' });
  }
});

async function logBy(signers: readonly SigningKey[]): Promise<Uint8Array[]> {
  const log: SignedMembershipEntry[] = [];
  const person = SigningKey.generate('P-256').did();
  for (const [i, signer] of signers.entries()) {
    const entry = {
      seq: i + 1,
      prev: log.at(-1)?.cid,
      service: did,
      did: toDid('did:plc:rei'),
      active: true,
      boundaries: [],
      signingKey: person,
      issuedAt: new Date(TIMES[0] ?? ''),
    };
    log.push(await signMembershipEntry(entry, signer));
  }
  return log.map(({ bytes }) => bytes);
}
