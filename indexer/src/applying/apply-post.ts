import type { Did, Tid, VerifiedOp } from '@stratos/protocol';
import type { Transaction } from '../database.ts';
import { replaceReaders } from '../visibility/readers.ts';
import { readPost } from './post-row.ts';

export interface PostContext {
  did: Did;
  nodeDid: Did;
  rev: Tid;
  /** What the author may write to at this position of the stream; empty when no member. */
  allowed: ReadonlySet<string>;
}

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
  if (op.action === 'delete') {
    await buryPost(tx, op.uri, context);
    return undefined;
  }
  if (!op.cid || !op.record) {
    await removePost(tx, op.uri, context.nodeDid);
    return op.flaw;
  }
  const post = readPost(op.record.value);
  const refused = post ? refuseBoundaries(op.record.boundaries, context) : 'invalid-record';
  if (!post || refused) {
    await removePost(tx, op.uri, context.nodeDid);
    return refused;
  }
  const { did, nodeDid, rev } = context;
  const { bytes, boundaries } = op.record;
  const { text, replyRoot, replyParent, createdAt } = post;
  const now = new Date();
  await tx.$executeRaw`
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root,
      reply_parent, created_at, indexed_at, sort_at, boundaries)
    values (${op.uri}, ${nodeDid}, ${op.cid}, ${did}, ${op.rkey}, ${rev}, ${bytes}, ${text},
      ${replyRoot}, ${replyParent}, ${createdAt}, ${now}, least(${createdAt}::timestamptz, ${now}::timestamptz), ${boundaries})
    on conflict (uri, node_did) do update set
      cid = excluded.cid, rev = excluded.rev, record = excluded.record, text = excluded.text,
      reply_root = excluded.reply_root, reply_parent = excluded.reply_parent,
      created_at = excluded.created_at, boundaries = excluded.boundaries,
      sort_at = least(excluded.created_at, stratos_post.indexed_at)`;
  await tx.$executeRaw`
    delete from stratos_tombstone where uri = ${op.uri} and node_did = ${nodeDid}`;
  await replaceReaders(tx, { did, nodeDid, uri: op.uri });
  return undefined;
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

async function buryPost(tx: Transaction, uri: string, { nodeDid, rev }: PostContext) {
  await removePost(tx, uri, nodeDid);
  await tx.tombstone.upsert({
    where: { uri_nodeDid: { uri, nodeDid } },
    create: { uri, nodeDid, rev },
    update: { rev, deletedAt: new Date() },
  });
}

async function removePost(tx: Transaction, uri: string, nodeDid: string): Promise<void> {
  await tx.post.deleteMany({ where: { uri, nodeDid } });
}
