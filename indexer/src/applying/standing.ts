import {
  type Cid,
  type Did,
  type DidKey,
  type RepoHead,
  type Tid,
  toCid,
  toDidKey,
  toTid,
} from '@stratos/protocol';
import type { Transaction } from '../database.ts';

/** What is known of a person at a node. */
export interface Standing {
  /** Undefined for somebody of whom the node's log has not spoken. */
  member: { active: boolean; signingKey: DidKey; boundaries: string[] } | undefined;
  /** Up to where the repo is applied. */
  head: RepoHead | undefined;
}

interface StandingRow {
  active: boolean | null;
  signing_key: string | null;
  boundaries: string[];
  rev: string | null;
  data: string | null;
}

export async function readStanding(tx: Transaction, did: Did, nodeDid: Did): Promise<Standing> {
  const [row] = await tx.$queryRaw<StandingRow[]>`
    select m.active, m.signing_key, r.rev, r.data, array(
      select b.boundary from stratos_membership_boundary b
      where b.did = ${did} and b.node_did = ${nodeDid}
    ) as boundaries
    from (select 1) as one
    left join stratos_membership m on m.did = ${did} and m.node_did = ${nodeDid}
    left join stratos_repo r on r.did = ${did} and r.node_did = ${nodeDid}`;
  const { active, signing_key: key = null, boundaries = [], rev = null, data = null } = row ?? {};
  return {
    member:
      key === null ? undefined : { active: active === true, signingKey: toDidKey(key), boundaries },
    head: rev === null || data === null ? undefined : { rev: toTid(rev), data: toCid(data) },
  };
}

/** Moves a repo to where it is applied now. */
export async function writeHead(
  tx: Transaction,
  nodeDid: Did,
  { did, rev, commit, data }: { did: Did; rev: Tid; commit: Cid; data: Cid },
): Promise<void> {
  await tx.$executeRaw`
    insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
    values (${did}, ${nodeDid}, ${rev}, ${commit}, ${data}, now())
    on conflict (did, node_did) do update set
      rev = excluded.rev, commit = excluded.commit, data = excluded.data, updated_at = now()`;
}
