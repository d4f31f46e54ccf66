import { type Boundary, type Did, type DidKey, signMembershipEntry } from '@stratos/protocol';
import type { NodeKeys } from '../keys/node-keys.ts';
import type { ServiceStores } from '../storage/service-storage.ts';

/** What is true of a person from now on. */
export interface Standing {
  did: Did;
  active: boolean;
  boundaries: readonly Boundary[];
  /** The person's P-256 key at this node. */
  signingKey: DidKey;
}

/** Signs the next entry of the membership log and gives it its place in the node's stream. */
export async function appendMembership(
  stores: ServiceStores,
  node: { did: Did; keys: Pick<NodeKeys, 'within'> },
  standing: Standing,
): Promise<void> {
  // @NOTE first: the key stays in use until the transaction ends, and so the entry is within its time
  const key = await node.keys.within(stores);
  const head = await stores.memberships.head();
  const seq = (head?.seq ?? 0) + 1;
  const issuedAt = new Date();
  const signed = await signMembershipEntry(
    { seq, prev: head?.cid, service: node.did, issuedAt, ...standing },
    key,
  );
  const time = issuedAt.toISOString();
  await stores.memberships.append({
    seq,
    cid: signed.cid,
    did: standing.did,
    entry: signed.bytes,
    issuedAt: time,
  });
  await stores.events.append({ did: standing.did, kind: 'membership', ref: seq, time });
}
