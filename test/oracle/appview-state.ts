import type { PrismaClient } from '@stratos/prisma';

export interface Part {
  people: readonly string[];
  nodes: readonly string[];
}

/** What the AppView knows of some people and nodes, in the lines of the model. */
export async function appViewState(db: PrismaClient, part: Part): Promise<Set<string>> {
  const did = { in: [...part.people] };
  const nodeDid = { in: [...part.nodes] };
  const where = { did, nodeDid };
  const [accounts, enrollments, memberships, posts, readers, stubs] = await Promise.all([
    db.actor.findMany({ where: { did } }),
    db.enrollment.findMany({ where }),
    db.membership.findMany({ where, include: { boundaries: true } }),
    db.post.findMany({ where, select: { uri: true, nodeDid: true, cid: true, record: false } }),
    db.postBoundary.findMany({ where }),
    db.stub.findMany({ where }),
  ]);
  return new Set([
    ...accounts.map((each) => `account ${each.did} ${each.active}`),
    ...enrollments.map((each) => `enrollment ${each.did} ${each.nodeDid} ${each.signingKey}`),
    ...memberships.map(({ did: member, nodeDid: node, active, boundaries }) => {
      const held = boundaries.map(({ boundary }) => boundary).sort();
      return `membership ${member} ${node} ${active} ${held.join(' ')}`;
    }),
    ...posts.map((each) => `post ${each.uri} ${each.nodeDid} ${each.cid}`),
    ...readers.map((each) => `readable ${each.uri} ${each.boundary}`),
    ...stubs.map((each) => `stub ${each.uri} ${each.subjectCid}`),
  ]);
}

/** How many nodes and repos the indexer is not through with yet, and which. */
export async function unsettled(
  db: PrismaClient,
  positions: ReadonlyMap<string, number>,
): Promise<string[]> {
  const dids = [...positions.keys()];
  const nodes = await db.node.findMany({ where: { did: { in: dids } } });
  const behind = nodes.filter(
    ({ did, streamCursor }) => Number(streamCursor) < (positions.get(did) ?? 0),
  );
  const waiting = await db.$queryRaw<{ did: string; reason: string }[]>`
    select s.did, s.reason from stratos_resync s
    join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active
    where s.node_did = any(${dids}::text[])`;
  return [
    ...behind.map(({ did, streamCursor }) => `${did} at ${streamCursor} of ${positions.get(did)}`),
    ...waiting.map(({ did, reason }) => `${did} to be fetched: ${reason}`),
  ];
}
