import {
  type Did,
  type DidKey,
  type MembershipLogHead,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { lockActorAtNode, type Transaction } from '../database.ts';
import { askForRepo } from '../resync/ask-for-repo.ts';
import { refreshReaders } from '../visibility/readers.ts';

export interface MembershipEvent {
  nodeDid: Did;
  keys: readonly DidKey[];
  /** DAG-CBOR of the entry. */
  bytes: Uint8Array;
  log: MembershipLogHead | undefined;
}

/** Verifies the next entry of a node's log and makes it the word that holds about its person. */
export async function applyMembership(tx: Transaction, event: MembershipEvent): Promise<void> {
  const { nodeDid, keys, bytes, log } = event;
  const { entry, cid } = await verifyMembershipEntry(bytes, {
    service: nodeDid,
    keys,
    previous: log,
  });
  const { did, active, signingKey, issuedAt } = entry;
  await lockActorAtNode(tx, did, nodeDid);
  const known = await tx.membership.findUnique({ where: { did_nodeDid: { did, nodeDid } } });
  if (known && known.signingKey !== signingKey) await forgetRepo(tx, did, nodeDid);
  const values = { active, signingKey, issuedAt, seq: entry.seq };
  await tx.membership.upsert({
    where: { did_nodeDid: { did, nodeDid } },
    create: { did, nodeDid, ...values },
    update: values,
  });
  await tx.membershipBoundary.deleteMany({ where: { did, nodeDid } });
  if (active) {
    const boundaries = [...new Set(entry.boundaries)];
    await tx.membershipBoundary.createMany({
      data: boundaries.map((boundary) => ({ did, nodeDid, boundary })),
    });
  }
  await refreshReaders(tx, did, nodeDid);
  // What they wrote meanwhile may have come without its content, and does not come again.
  if (active && known?.active === false) await askForRepo(tx, { did, nodeDid, reason: 'returned' });
  await tx.node.update({
    where: { did: nodeDid },
    data: { membershipSeq: entry.seq, membershipHead: cid },
  });
}

/** Another key is another repo: what the one before held is gone at the node, and so it is here. */
async function forgetRepo(tx: Transaction, did: Did, nodeDid: Did): Promise<void> {
  const where = { did, nodeDid };
  await tx.post.deleteMany({ where });
  await tx.repo.deleteMany({ where });
}
