import { encode } from '@atproto/lex-cbor';
import { z } from 'zod';
import { ProofError } from './errors.ts';
import { type Did, type DidKey, isDidKey } from './identifiers.ts';
import { jwtAlgOf, type SigningKey, verifySignature } from './signing-key.ts';

/** A key of a node and what it may have signed, see zone.stratos.identity.getKeyHistory. */
export interface NodeKeyPeriod {
  /** secp256k1 */
  key: DidKey;
  validFrom: Date;
  /** Undefined while it is in use. */
  validUntil: Date | undefined;
  /** First entry of the membership log that it may sign; the next key begins where it ends. */
  membershipSeq: number;
}

/** What a node's key says of the one that follows it. */
export interface NodeKeyHandover {
  /** The node. */
  did: Did;
  key: DidKey;
  /** The key before, which signs. */
  prev: DidKey;
  validFrom: Date;
  membershipSeq: number;
}

/** Vouches for the next key with the one before it. */
export async function signKeyHandover(
  handover: Omit<NodeKeyHandover, 'prev'>,
  previous: SigningKey,
): Promise<Uint8Array> {
  return previous.sign(payload({ ...handover, prev: previous.did() }));
}

const published = z.object({
  key: z.custom<DidKey>((value) => isDidKey(value)),
  validFrom: z.iso.datetime(),
  validUntil: z.iso.datetime().optional(),
  membershipSeq: z.int().min(1).default(1),
  sig: z
    .union([
      z.instanceof(Uint8Array),
      z
        .object({ $bytes: z.string() })
        .transform(({ $bytes }) => new Uint8Array(Buffer.from($bytes, 'base64'))),
    ])
    .optional(),
});

export interface VerifyKeyHistoryOptions {
  /** The node. */
  did: Did;
  /** The node's keys of now, from its DID document: what the newest key must be one of. */
  currentKeys: readonly DidKey[];
}

/**
 * Checks a node's published history of keys: a chain in which each key but the first is vouched for
 * by the one before, that ends in a key of the DID document.
 *
 * @param keys - of the answer of zone.stratos.identity.getKeyHistory, as JSON or as parsed
 * @throws {@link ProofError} `malformed`, `bad-signature` or `broken-chain`
 */
export function verifyKeyHistory(
  keys: readonly unknown[],
  { did, currentKeys }: VerifyKeyHistoryOptions,
): NodeKeyPeriod[] {
  const history: NodeKeyPeriod[] = [];
  for (const each of keys) {
    const { success, data } = published.safeParse(each);
    if (!success || jwtAlgOf(data.key) !== 'ES256K') {
      throw new ProofError('malformed', 'not a history of keys');
    }
    const period = toPeriod(data);
    const previous = history.at(-1);
    checkOrder(period, previous);
    if (history.some(({ key }) => key === period.key)) {
      throw new ProofError('broken-chain', 'a key of the history is used twice');
    }
    if (previous) {
      const signed = payload({ did, prev: previous.key, ...period });
      if (!data.sig || !verifySignature(previous.key, signed, data.sig)) {
        throw new ProofError('bad-signature', 'a key is not vouched for by the one before');
      }
    }
    history.push(period);
  }
  const newest = history.at(-1);
  if (!newest || newest.validUntil || !currentKeys.includes(newest.key)) {
    throw new ProofError('broken-chain', 'the history does not end in a key of the DID document');
  }
  return history;
}

/** The key that may have signed an entry of the membership log; none before the first. */
export function keysOfEntry(history: readonly NodeKeyPeriod[], seq: number): DidKey[] {
  return history
    .filter(({ membershipSeq }, i) => {
      const next = history[i + 1]?.membershipSeq ?? Number.POSITIVE_INFINITY;
      return membershipSeq <= seq && seq < next;
    })
    .map(({ key }) => key);
}

function checkOrder(period: NodeKeyPeriod, previous: NodeKeyPeriod | undefined): void {
  const follows =
    previous === undefined
      ? period.membershipSeq === 1
      : previous.validUntil?.getTime() === period.validFrom.getTime() &&
        previous.validFrom <= period.validFrom &&
        previous.membershipSeq <= period.membershipSeq;
  if (!follows) throw new ProofError('broken-chain', 'a key does not follow the one before');
}

function toPeriod({ key, validFrom, validUntil, membershipSeq }: z.infer<typeof published>) {
  return {
    key,
    validFrom: new Date(validFrom),
    validUntil: validUntil === undefined ? undefined : new Date(validUntil),
    membershipSeq,
  };
}

function payload({ did, key, prev, validFrom, membershipSeq }: NodeKeyHandover): Uint8Array {
  return encode({ did, key, prev, validFrom: validFrom.toISOString(), membershipSeq });
}
