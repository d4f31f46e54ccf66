import { type Did, decodeCanonicalMap, isAtUri, ProofError } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { claimedActor, type NodeEvent, positionOf } from '../applying/node-event.ts';
import { grantedBy } from '../applying/standing.ts';

// @NOTE nothing of this is proven: a node may hide its own at any time

/** Posts that are gone, or that somebody may read no more. */
export interface RecordsRevoked {
  did: Did;
  streamSeq: number;
  uris: string[];
}

/** What somebody is a member of from here on, and nothing else. */
export interface MembershipStated {
  did: Did;
  streamSeq: number;
  /** Place of the entry in the membership log. */
  entrySeq: number;
  active: boolean;
  boundaries: readonly string[];
}

/** The posts that a commit says to take away from somebody. */
export function recordsRevoked({ body }: NodeEvent): RecordsRevoked | undefined {
  const did = claimedActor(body);
  const streamSeq = positionOf(body);
  const { ops } = body as { ops?: unknown };
  if (!did || !streamSeq || !Array.isArray(ops)) return undefined;
  const prefix = `${zone.stratos.feed.post.$nsid}/`;
  const uris = ops.filter(isRevoking).flatMap(({ path }) => {
    const uri = `at://${did}/${path}`;
    return path.startsWith(prefix) && isAtUri(uri) ? [uri] : [];
  });
  return uris.length > 0 ? { did, streamSeq, uris } : undefined;
}

function isRevoking(op: unknown): op is { path: string } {
  const { action, path, boundaries, prevBoundaries } = (op ?? {}) as Record<string, unknown>;
  if (typeof path !== 'string') return false;
  if (action === 'delete') return true;
  if (action !== 'update') return false;
  if (!Array.isArray(boundaries) || !Array.isArray(prevBoundaries)) return true;
  return !prevBoundaries.every((boundary) => boundaries.includes(boundary));
}

/** What a membership event says. Whether that holds is seen when it is its turn. */
export function membershipStated({ body }: NodeEvent): MembershipStated | undefined {
  const streamSeq = positionOf(body);
  const { entry } = body as { entry?: unknown };
  if (!streamSeq || !(entry instanceof Uint8Array)) return undefined;
  try {
    const stated = decodeCanonicalMap(entry);
    const did = claimedActor(stated);
    const active = stated['active'] === true;
    const entrySeq = positionOf(stated);
    if (!did || !entrySeq) return undefined;
    return { did, streamSeq, entrySeq, active, boundaries: grantedBy(stated) };
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
