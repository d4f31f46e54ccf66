import type { LexMap } from '@atproto/lex-data';
import { Prisma } from '@stratos/prisma';
import {
  type Cid,
  type Did,
  type DidKey,
  decodeCanonicalMap,
  type RepoHead,
  type Tid,
  toCid,
  toDidKey,
  toTid,
} from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { misses } from '../resync/ask-for-repos.ts';

export interface Member {
  active: boolean;
  signingKey: DidKey;
  boundaries: readonly string[];
}

/** What is known of a person at a node. */
export interface Standing {
  /** Undefined for somebody of whom the node's log has not spoken. */
  member: Member | undefined;
  /** Up to where the repo is applied. */
  head: RepoHead | undefined;
  /** Whether the repo is to be fetched anew because we do not have all of it. */
  isAsked: boolean;
  /** Whether a record was left out of what was fetched, for a boundary that its author did not hold. */
  isPartial: boolean;
}

/** Of whom nothing is known. */
export const UNKNOWN: Standing = {
  member: undefined,
  head: undefined,
  isAsked: false,
  isPartial: false,
};

interface StandingRow {
  did: Did;
  active: boolean | null;
  signing_key: string | null;
  boundaries: string[];
  /** Only where boundaries are held, and the table has fewer than the entry. */
  entry: Uint8Array | null;
  rev: string | null;
  data: string | null;
  is_asked: boolean;
  is_partial: boolean;
}

/** What is known of one person at a node. */
export async function readStanding(
  tx: Pick<Transaction, '$queryRaw'>,
  did: Did,
  nodeDid: Did,
): Promise<Standing> {
  const standings = await readStandings(tx, [did], nodeDid);
  return standings.get(did) ?? UNKNOWN;
}

/** The same of many, in one statement. */
export async function readStandings(
  tx: Pick<Transaction, '$queryRaw'>,
  dids: readonly Did[],
  nodeDid: Did,
): Promise<Map<Did, Standing>> {
  if (dids.length === 0) return new Map();
  const rows = await tx.$queryRaw<StandingRow[]>`
    select who.did, m.active, m.signing_key, r.rev, r.data, coalesce(${misses(Prisma.sql`s.reason`)}, false) as is_asked,
      coalesce(r.is_partial, false) as is_partial,
      array(
        select b.boundary from stratos_membership_boundary b
        where b.did = who.did and b.node_did = ${nodeDid}
      ) as boundaries,
      case when exists (
        select from stratos_hold h
        where h.node_did = ${nodeDid} and h.did = who.did and h.boundary is not null
      ) then m.entry end as entry
    from unnest(${[...dids]}::text[]) as who(did)
    left join stratos_membership m on m.did = who.did and m.node_did = ${nodeDid}
    left join stratos_repo r on r.did = who.did and r.node_did = ${nodeDid}
    left join stratos_resync s on s.did = who.did and s.node_did = ${nodeDid}`;
  return new Map(rows.map((row) => [row.did, standingOf(row)]));
}

function standingOf(row: StandingRow): Standing {
  const {
    active,
    signing_key: key,
    entry,
    rev,
    data,
    is_asked: isAsked,
    is_partial: isPartial,
  } = row;
  const boundaries = entry && active ? boundariesOf(entry) : row.boundaries;
  return {
    member:
      key === null ? undefined : { active: active === true, signingKey: toDidKey(key), boundaries },
    head: rev === null || data === null ? undefined : { rev: toTid(rev), data: toCid(data) },
    isAsked,
    isPartial,
  };
}

/** The boundaries that a stored entry of a node's log grants. */
export function boundariesOf(entry: Uint8Array): string[] {
  return grantedBy(decodeCanonicalMap(entry));
}

/** The boundaries that an entry of a node's log grants, as far as it is one. */
export function grantedBy({ active, boundaries }: LexMap): string[] {
  if (active !== true || !Array.isArray(boundaries)) return [];
  return boundaries.filter((boundary) => typeof boundary === 'string');
}

/** Where a repo is. */
export interface StoredHead extends RepoHead {
  did: Did;
  rev: Tid;
  commit: Cid;
}

/** Moves a repo to where it is applied now. */
export async function writeHead(tx: Transaction, nodeDid: Did, head: StoredHead): Promise<void> {
  await writeHeads(tx, nodeDid, [head]);
}

export async function writeHeads(
  tx: Transaction,
  nodeDid: Did,
  heads: readonly StoredHead[],
): Promise<void> {
  if (heads.length === 0) return;
  const rows = heads.map(({ did, rev, commit, data }) => ({ did, rev, commit, data }));
  await tx.$executeRaw`
    insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
    select did, ${nodeDid}, rev, commit, data, now()
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as head(did text, rev text, commit text, data text)
    on conflict (did, node_did) do update set
      rev = excluded.rev, commit = excluded.commit, data = excluded.data, updated_at = now()`;
}
