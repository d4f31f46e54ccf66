import { Prisma } from '@stratos/prisma';
import type { Did, Tid, VerifiedOp } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { replaceReaders } from '../visibility/readers.ts';
import { type PostRow, readPost } from './post-row.ts';

export interface PostContext {
  did: Did;
  nodeDid: Did;
  rev: Tid;
  /** What the author may write to at this position of the stream; empty when no member. */
  allowed: ReadonlySet<string>;
}

/** A post that may be written. */
export interface AcceptedPost extends PostRow {
  uri: string;
  rkey: string;
  cid: string;
  bytes: Uint8Array;
  boundaries: readonly string[];
}

type ProvenPost = Pick<VerifiedOp, 'uri' | 'rkey' | 'cid' | 'record' | 'flaw'>;

/**
 * Applies one proven operation on a post.
 *
 * @returns why the record is refused, or undefined; a refused record leaves nothing behind, also no
 * earlier version of itself
 */
export async function applyPost(
  tx: Transaction,
  op: VerifiedOp,
  context: PostContext,
): Promise<string | undefined> {
  const { did, nodeDid } = context;
  if (op.action === 'delete') {
    await buryPosts(tx, [op.uri], context);
    return undefined;
  }
  const judged = judgePost(op, context);
  if (!judged.post) {
    await removePosts(tx, [op.uri], nodeDid);
    return judged.refused;
  }
  await writePosts(tx, [judged.post], context);
  await replaceReaders(tx, { did, nodeDid, uris: [op.uri] });
  return undefined;
}

/** Whether a proven record may be written as a post, and why it is refused if that is to be told. */
export function judgePost(
  { uri, rkey, cid, record, flaw }: ProvenPost,
  context: PostContext,
): { post: AcceptedPost; refused?: undefined } | { post?: undefined; refused: string | undefined } {
  if (!cid || !record) return { refused: flaw };
  const row = readPost(record.value);
  const refused = row ? refuseBoundaries(record.boundaries, context) : 'invalid-record';
  if (!row || refused) return { refused };
  const { bytes, boundaries } = record;
  return { post: { ...row, uri, rkey, cid, bytes, boundaries } };
}

function refuseBoundaries(boundaries: readonly string[], context: PostContext): string | undefined {
  if (boundaries.length === 0) return 'no-boundary';
  if (!boundaries.every((boundary) => boundary.startsWith(`${context.nodeDid}/`))) {
    return 'foreign-boundary';
  }
  return boundaries.every((boundary) => context.allowed.has(boundary))
    ? undefined
    : 'boundary-not-held';
}

/** Writes posts in place of their earlier versions; their readers are for the caller to replace. */
export async function writePosts(
  tx: Transaction,
  posts: readonly AcceptedPost[],
  { did, nodeDid, rev }: PostContext,
): Promise<void> {
  if (posts.length === 0) return;
  const now = new Date();
  const rows = posts.map(
    ({ uri, rkey, cid, bytes, text, replyRoot, replyParent, createdAt, boundaries }) =>
      Prisma.sql`(${uri}, ${nodeDid}, ${cid}, ${did}, ${rkey}, ${rev}, ${bytes}, ${text},
        ${replyRoot}, ${replyParent}, ${createdAt}, ${now},
        least(${createdAt}::timestamptz, ${now}::timestamptz), ${boundaries})`,
  );
  await tx.$executeRaw`
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root,
      reply_parent, created_at, indexed_at, sort_at, boundaries)
    values ${Prisma.join(rows)}
    on conflict (uri, node_did) do update set
      cid = excluded.cid, rev = excluded.rev, record = excluded.record, text = excluded.text,
      reply_root = excluded.reply_root, reply_parent = excluded.reply_parent,
      created_at = excluded.created_at, boundaries = excluded.boundaries,
      sort_at = least(excluded.created_at, stratos_post.indexed_at)`;
  const uris = posts.map(({ uri }) => uri);
  await tx.tombstone.deleteMany({ where: { uri: { in: uris }, nodeDid } });
}

/** Removes posts that their author deleted, and remembers that. */
export async function buryPosts(
  tx: Transaction,
  uris: readonly string[],
  { nodeDid, rev }: Pick<PostContext, 'nodeDid' | 'rev'>,
): Promise<void> {
  await removePosts(tx, uris, nodeDid);
  await tx.$executeRaw`
    insert into stratos_tombstone (uri, node_did, rev)
    select uri, ${nodeDid}, ${rev} from unnest(${uris}::text[]) as uri
    on conflict (uri, node_did) do update set rev = excluded.rev, deleted_at = now()`;
}

export async function removePosts(
  tx: Transaction,
  uris: readonly string[],
  nodeDid: string,
): Promise<void> {
  if (uris.length === 0) return;
  await tx.post.deleteMany({ where: { uri: { in: [...uris] }, nodeDid } });
}
