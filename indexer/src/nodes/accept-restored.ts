import type { Did } from '@stratos/protocol';
import { membershipChanges } from '../applying/write-memberships.ts';
import { announce } from '../changes/announce.ts';
import { type Database, lockActorsAtNode } from '../database.ts';
import { hideAll } from '../visibility/readers.ts';

/** What the largest node may take. */
const TIMEOUT_MS = 10 * 60_000;
/** Repos that can be in the middle of being fetched, and locks that a transaction can well have. */
const MOST_UNDER_WAY = 1_000;

export interface AcceptedNode {
  /** People of whom the node has spoken. */
  people: number;
}

/**
 * Takes a node anew that knows less than it told before: whoever follows it begins with its log and its
 * stream as they are now. Nobody reads anything of it until its log says again who is a member, and each
 * repo has been fetched. Safe while indexers run.
 *
 * @returns undefined when the node is not known
 */
export async function acceptRestored(
  db: Database,
  nodeDid: Did,
): Promise<AcceptedNode | undefined> {
  return db.$transaction(
    async (tx) => {
      const known = await tx.$queryRaw<unknown[]>`
        select from stratos_node where did = ${nodeDid} for no key update`;
      if (known.length === 0) return undefined;
      const fetched = await tx.resync.findMany({
        select: { did: true },
        where: { nodeDid },
        orderBy: [{ failures: 'asc' }, { dueAt: 'asc' }],
        take: MOST_UNDER_WAY,
      });
      // A repo that is just being taken over would leave a head that is newer than what there is now.
      const dids = fetched.map(({ did }) => did);
      await lockActorsAtNode(tx, dids, nodeDid);
      // @NOTE who is about to make something readable has not seen yet that nobody is a member
      await tx.$executeRaw`lock table stratos_post_boundary in share row exclusive mode`;
      const lost = await tx.$queryRaw<{ did: string; boundary: string }[]>`
        delete from stratos_membership_boundary where node_did = ${nodeDid}
        returning did, boundary`;
      await tx.hold.deleteMany({ where: { nodeDid } });
      await tx.waitingCommit.deleteMany({ where: { nodeDid } });
      await tx.actorCursor.deleteMany({ where: { nodeDid } });
      await tx.repo.deleteMany({ where: { nodeDid } });
      await tx.quarantined.deleteMany({ where: { nodeDid, reason: 'rolled-back' } });
      const people = await tx.$queryRaw<{ did: Did }[]>`
        update stratos_membership set active = false, entry = null, issued_at = now()
        where node_did = ${nodeDid} returning did`;
      await tx.$executeRaw`
        insert into stratos_resync (did, node_did, reason)
        select did, node_did, 'outdated' from stratos_membership where node_did = ${nodeDid}
        on conflict (did, node_did) do update set reason = excluded.reason,
          asked = stratos_resync.asked + 1, failures = 0, due_at = now()`;
      // Whoever follows it at the moment can write no more, and begins again.
      await tx.$executeRaw`
        update stratos_node set follower = null, follow_epoch = follow_epoch + 1,
          stream_cursor = 0, newest_seq = 0, membership_seq = 0, membership_head = null,
          membership_read = 0, heartbeat_at = null, lease_until = null, rolled_back_at = null
        where did = ${nodeDid}`;
      const authors = await tx.$queryRaw<{ did: string }[]>`
        select distinct did from stratos_post_boundary where node_did = ${nodeDid}`;
      await hideAll(
        tx,
        authors.map(({ did }) => did),
        nodeDid,
      );
      await announce(tx, [...membershipChanges(nodeDid, lost), { kind: 'node', nodeDid }]);
      return { people: people.length };
    },
    { maxWait: 15_000, timeout: TIMEOUT_MS },
  );
}
