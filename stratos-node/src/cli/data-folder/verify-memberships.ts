import {
  decodeCanonicalMap,
  toDid,
  verifyKeyHistory,
  verifyMembershipLog,
} from '@stratos/protocol';
import type { Database } from 'better-sqlite3';

interface KeyRow {
  key: string;
  validFrom: string;
  validUntil: string | null;
  membershipSeq: number;
  sig: Uint8Array | null;
}

/** What is wrong with the log of memberships, and with who is a member by it. */
export async function* verifyMemberships(service: Database): AsyncGenerator<string> {
  const entries = service
    .prepare<[], Uint8Array>('SELECT entry FROM membership_log ORDER BY seq')
    .pluck();
  const [first] = entries.iterate();
  if (!first) return;
  try {
    const did = toDid(decodeCanonicalMap(first)['service']);
    const keys = keyRows(service);
    const currentKeys = keys.flatMap(({ key, validUntil }) => (validUntil ? [] : [key]));
    const history = verifyKeyHistory(keys, { did, currentKeys: currentKeys as never });
    const { standings } = await verifyMembershipLog(entries.iterate(), {
      service: did,
      keys: [],
      history,
    });
    for (const [person, { active, boundaries }] of standings) {
      const now = standingOf(service, person);
      if (now.active !== active || now.boundaries !== boundaries.join(' ')) {
        yield `the membership of ${person} is not what the log says`;
      }
    }
  } catch (error) {
    yield `the membership log does not hold: ${(error as Error).message}`;
  }
}

function keyRows(service: Database) {
  return service
    .prepare<[], KeyRow>(
      'SELECT key, validFrom, validUntil, membershipSeq, sig FROM node_key ORDER BY membershipSeq, validFrom',
    )
    .all()
    .map(({ validUntil, sig, ...row }) => ({
      ...row,
      ...(validUntil !== null && { validUntil }),
      ...(sig !== null && { sig: new Uint8Array(sig) }),
    }));
}

/** What somebody's standing is, which is none while the account is taken down. */
function standingOf(service: Database, did: string) {
  const isMember = service
    .prepare<[string], 1>(
      "SELECT 1 FROM enrollment WHERE did = ? AND active = 'true' AND takedownRef IS NULL",
    )
    .get(did);
  if (!isMember) return { active: false, boundaries: '' };
  const boundaries = service
    .prepare<[string], string>(
      'SELECT boundary FROM enrollment_boundary WHERE did = ? ORDER BY boundary',
    )
    .pluck()
    .all(did);
  return { active: true, boundaries: boundaries.join(' ') };
}
