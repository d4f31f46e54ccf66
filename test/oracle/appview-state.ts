import type { PrismaClient } from '@stratos/prisma';

export interface Part {
  people: readonly string[];
  nodes: readonly string[];
}

/** Positions from here on are nobody's: a node was heard to say what it never said. */
export const UNHEARD_OF = 1_000_000;
const FUTURE_MS = 10 * 60_000;

/** What the AppView knows of some people and nodes, in the lines of the model, by whom they are of. */
export async function appViewState(
  db: PrismaClient,
  part: Part,
): Promise<Map<string, readonly string[]>> {
  const did = { in: [...part.people] };
  const nodeDid = { in: [...part.nodes] };
  const where = { did, nodeDid };
  const [accounts, enrollments, memberships, posts, readers, stubs, nodes] = await Promise.all([
    db.actor.findMany({ where: { did } }),
    db.enrollment.findMany({ where }),
    db.membership.findMany({ where, include: { boundaries: true } }),
    db.post.findMany({ where, select: { did: true, uri: true, nodeDid: true, cid: true } }),
    db.postBoundary.findMany({ where }),
    db.stub.findMany({ where }),
    db.node.findMany({ where: { did: nodeDid } }),
  ]);
  const state = new Map<string, string[]>();
  const add = (of: string, line: string) => {
    const lines = state.get(of);
    if (lines) lines.push(line);
    else state.set(of, [line]);
  };
  for (const each of accounts) add(each.did, `account ${each.did} ${each.active}`);
  for (const { did: person, nodeDid: node, signingKey } of enrollments) {
    add(person, `enrollment ${person} ${node} ${signingKey}`);
  }
  for (const { did: member, nodeDid: node, active, boundaries } of memberships) {
    const held = boundaries.map(({ boundary }) => boundary).sort();
    add(member, `membership ${member} ${node} ${active} ${held.join(' ')}`);
  }
  for (const each of posts) add(each.did, `post ${each.uri} ${each.nodeDid} ${each.cid}`);
  for (const each of readers) add(each.did, `readable ${each.uri} ${each.boundary}`);
  for (const each of stubs) add(each.did, `stub ${each.uri} ${each.subjectCid}`);
  for (const { did: node, newestSeq, heartbeatAt } of nodes) {
    if (newestSeq >= UNHEARD_OF) add(node, `position ${node} ${newestSeq}`);
    const isFuture = (heartbeatAt?.getTime() ?? 0) > Date.now() + FUTURE_MS;
    if (isFuture) add(node, `heartbeat ${node} of the future`);
  }
  return state;
}

/** What the indexer is not through with yet, by whom it is of. */
export async function unsettled(
  db: PrismaClient,
  positions: ReadonlyMap<string, number>,
): Promise<Map<string, string[]>> {
  const dids = [...positions.keys()];
  const nodes = await db.node.findMany({ where: { did: { in: dids } } });
  const behind = nodes.filter(
    ({ did, streamCursor }) => Number(streamCursor) < (positions.get(did) ?? 0),
  );
  const waiting = await db.$queryRaw<{ did: string; reason: string }[]>`
    select s.did, s.reason from stratos_resync s
    join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active
    where s.node_did = any(${dids}::text[])`;
  const lines = [
    ...behind.map(({ did, streamCursor }) => {
      return { did, line: `${did} at ${streamCursor} of ${positions.get(did)}` };
    }),
    ...waiting.map(({ did, reason }) => ({ did, line: `${did} to be fetched: ${reason}` })),
  ];
  const byDid = Map.groupBy(lines, ({ did }) => did);
  return new Map([...byDid].map(([did, of]) => [did, of.map(({ line }) => line)]));
}
