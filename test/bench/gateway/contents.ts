import { Prisma, type PrismaClient } from '@stratos/prisma';
import { VIEWERS } from '@stratos/prisma/generated-database';
import { homeTimeline } from '@stratos/prisma/queries';
import { type AtUri, type Boundary, type Cid, type Did, encodeRecord } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';

const { $nsid: collection } = zone.stratos.feed.post;
const TIMEOUT_MS = 120_000;

interface Row {
  uri: AtUri;
  node: Did;
  text: string;
  createdAt: Date;
  boundaries: Boundary[];
  replyRoot: AtUri | null;
  replyParent: AtUri | null;
}

/**
 * Gives the newest posts that the viewers of a generated database may read a real record, which it has none
 * of: what is not what its CID says is not served.
 *
 * @param depth - posts of each viewer
 */
export async function writeContents(prisma: PrismaClient, depth: number): Promise<void> {
  for (const { did } of VIEWERS) {
    const { posts } = await homeTimeline(prisma, { viewer: did, after: undefined, limit: depth });
    await writeRecords(prisma, await readRows(prisma, posts));
  }
}

export async function boundariesOf(prisma: PrismaClient, viewer: Did): Promise<Boundary[]> {
  const rows = await prisma.membershipBoundary.findMany({ where: { did: viewer } });
  return rows.map(({ boundary }) => boundary as Boundary);
}

function readRows(prisma: PrismaClient, posts: { uri: AtUri; node: Did }[]): Promise<Row[]> {
  return prisma.$queryRaw<Row[]>(Prisma.sql`
    select p.uri, p.node_did as node, p.text, p.created_at as "createdAt", p.boundaries,
      p.reply_root as "replyRoot", p.reply_parent as "replyParent"
    from unnest(${posts.map(({ uri }) => uri)}::text[], ${posts.map(({ node }) => node)}::text[])
      as wanted(uri, node_did)
    join stratos_post p using (uri, node_did)`);
}

async function writeRecords(prisma: PrismaClient, rows: readonly Row[]): Promise<void> {
  const blocks = await Promise.all(rows.map((row) => encodeRecord(recordOf(row))));
  const uris = rows.map(({ uri }) => uri);
  const nodes = rows.map(({ node }) => node);
  const cids = blocks.map(({ cid }) => cid);
  const records = blocks.map(({ bytes }) => Buffer.from(bytes).toString('base64'));
  const written = Prisma.sql`
    unnest(${uris}::text[], ${nodes}::text[], ${cids}::text[], ${records}::text[])
      as written(uri, node_did, cid, record)`;
  await prisma.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`
        update stratos_post p set cid = written.cid, record = decode(written.record, 'base64')
        from ${written} where p.uri = written.uri and p.node_did = written.node_did`;
      await transaction.$executeRaw`
        update stratos_stub s set subject_cid = written.cid
        from ${written} where s.uri = written.uri and s.node_did = written.node_did`;
    },
    { timeout: TIMEOUT_MS },
  );
}

function recordOf({ text, createdAt, boundaries, replyRoot, replyParent }: Row) {
  const cid: Cid | string = 'bafyreigq3v4v6fcvzj4v6z3m5y4y6l6r3d2q4k5c7h6s3p2x5n4a7w2e5u';
  return {
    $type: collection,
    text,
    ...(replyRoot &&
      replyParent && {
        reply: { root: { uri: replyRoot, cid }, parent: { uri: replyParent, cid } },
      }),
    boundary: {
      $type: 'zone.stratos.boundary.defs#Domains',
      values: boundaries.map((value) => ({ value })),
    },
    createdAt: createdAt.toISOString(),
  };
}
