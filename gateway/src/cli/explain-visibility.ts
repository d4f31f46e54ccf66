import { Prisma, type PrismaClient } from '@stratos/prisma';
import {
  type AtUri,
  type Boundary,
  boundaryNode,
  type Cid,
  type Did,
  decodeRecord,
  ProofError,
  parseAtUri,
} from '@stratos/protocol';

/** A rule, and whether it lets the viewer read. */
export interface Step {
  rule: string;
  holds: boolean;
}

/** Why somebody may or may not read what one node holds at an address. Nothing of what it says. */
export interface Explanation {
  node: Did;
  isVisible: boolean;
  /** Of the viewer, in which they read it. */
  shared: Boundary[];
  /** What the gateway decides by. */
  steps: Step[];
  /** What the indexer goes by when it says where the post may be read. */
  indexing: Step[];
}

interface Facts {
  node: Did;
  cid: Cid;
  record: Uint8Array;
  boundaries: Boundary[];
  readers: Boundary[];
  stubCid: string | null;
  isAccountInUse: boolean;
  isAuthorMember: boolean;
  isEnrolled: boolean;
  isOutdated: boolean;
  isHeld: boolean;
  isHeard: boolean;
  isViewerMember: boolean;
  memberOf: Boundary[];
}

/**
 * The decision about each post at an address, in the order in which it is made. To be asked by the owner of the
 * database: a gateway's own login is shown too little.
 */
export async function explainVisibility(
  prisma: PrismaClient,
  { uri, viewer }: { uri: AtUri; viewer: Did },
): Promise<Explanation[]> {
  const facts = await readFacts(prisma, { uri, viewer });
  return Promise.all(facts.map((one) => explain(one, parseAtUri(uri).did === viewer)));
}

async function explain(facts: Facts, isOwn: boolean): Promise<Explanation> {
  const { node, boundaries, readers, memberOf } = facts;
  const own = boundaries.filter((boundary) => boundaryNode(boundary) === node);
  const shared = own.filter((boundary) => memberOf.includes(boundary));
  const verified: Step[] = [
    { rule: 'its bytes are those of its CID', holds: await isIntact(facts) },
    {
      rule: 'the stub of its author, if there is one, names this CID',
      holds: facts.stubCid === null || facts.stubCid === facts.cid,
    },
  ];
  const readable: Step[] = [
    { rule: 'the account of its author is in use', holds: facts.isAccountInUse },
    { rule: 'its node is heard', holds: facts.isHeard },
    { rule: 'the node says that the viewer is a member', holds: facts.isViewerMember },
    { rule: 'it is signed for a boundary of the viewer', holds: shared.length > 0 },
    {
      rule: 'it is indexed for a boundary of the viewer',
      holds: readers.some((one) => memberOf.includes(one)),
    },
  ];
  const indexing: Step[] = [
    { rule: 'the node says that its author is a member', holds: facts.isAuthorMember },
    { rule: 'its author says so, too, with the same key', holds: facts.isEnrolled },
    { rule: 'the repo of its author is not known to be outdated', holds: !facts.isOutdated },
    { rule: 'no event that waits takes it away', holds: !facts.isHeld },
  ];
  const steps = [
    ...verified,
    { rule: 'the viewer wrote it', holds: isOwn },
    ...(isOwn ? [] : readable),
  ];
  const hold = (list: Step[]) => list.every(({ holds }) => holds);
  const isVisible = hold(verified) && (isOwn || hold(readable));
  return { node, isVisible, shared: isOwn ? own : shared, steps, indexing };
}

async function isIntact({ record, cid }: Facts): Promise<boolean> {
  try {
    await decodeRecord(record, cid);
    return true;
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

function readFacts(
  prisma: PrismaClient,
  { uri, viewer }: { uri: AtUri; viewer: Did },
): Promise<Facts[]> {
  return prisma.$queryRaw<Facts[]>(Prisma.sql`
    select p.node_did as node, p.cid, p.record, p.boundaries,
      array(select boundary from stratos_post_boundary pb
        where pb.uri = p.uri and pb.node_did = p.node_did order by boundary) as readers,
      (select subject_cid from stratos_stub s
        where s.uri = p.uri and s.node_did = p.node_did) as "stubCid",
      coalesce((select active from stratos_actor a where a.did = p.did), true) as "isAccountInUse",
      coalesce(author.active, false) as "isAuthorMember",
      exists (select from stratos_enrollment e where e.did = p.did and e.node_did = p.node_did
        and e.signing_key = author.signing_key) as "isEnrolled",
      exists (select from stratos_resync s where s.did = p.did and s.node_did = p.node_did
        and s.reason = 'outdated') as "isOutdated",
      exists (select from stratos_hold h where h.node_did = p.node_did
        and h.uri in (p.uri, 'at://' || p.did)) as "isHeld",
      coalesce(n.lease_until > now(), false) as "isHeard",
      coalesce(reader.active, false) as "isViewerMember",
      array(select boundary from stratos_membership_boundary mb
        where mb.did = ${viewer} and mb.node_did = p.node_did order by boundary) as "memberOf"
    from stratos_post p
    join stratos_node n on n.did = p.node_did
    left join stratos_membership author on author.did = p.did and author.node_did = p.node_did
    left join stratos_membership reader on reader.did = ${viewer} and reader.node_did = p.node_did
    where p.uri = ${uri}
    order by p.node_did`);
}
