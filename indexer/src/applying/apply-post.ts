import type { Did, Tid, VerifiedOp } from '@stratos/protocol';
import { announce, type Change } from '../changes/announce.ts';
import type { Transaction } from '../database.ts';
import { type PostsAtNode, takeReaders } from '../visibility/readers.ts';
import { type PostRow, readPost } from './post-row.ts';
import { type ProofKey, removeUnusedProofs } from './proofs.ts';

export interface PostContext {
  did: Did;
  nodeDid: Did;
  rev: Tid;
  /** What the author may write to at this position of the stream; empty when no member. */
  allowed: ReadonlySet<string>;
  /** Revision of the stored proof that shows the posts. */
  proofRev?: Tid;
}

/** A post that may be written. */
export interface AcceptedPost extends PostRow {
  uri: string;
  rkey: string;
  cid: string;
  bytes: Uint8Array;
  boundaries: readonly string[];
}

/** A post with whom it is of and what shows it. */
export interface PlacedPost extends AcceptedPost {
  did: Did;
  rev: Tid;
  proofRev: Tid | undefined;
}

/** Characters of an address that can be looked up together with a boundary and another address. */
const MOST_OF_ADDRESS = 1_000;

type ProvenPost = Pick<VerifiedOp, 'uri' | 'rkey' | 'cid' | 'record' | 'flaw'>;

/** Whether a proven record may be written as a post, and why it is refused if that is to be told. */
export function judgePost(
  { uri, rkey, cid, record, flaw }: ProvenPost,
  context: Pick<PostContext, 'nodeDid' | 'allowed'>,
): { post: AcceptedPost; refused?: undefined } | { post?: undefined; refused: string | undefined } {
  if (!cid || !record) return { refused: flaw };
  const row = readPost(record.value);
  const refused = row ? refuseBoundaries(record.boundaries, context) : 'invalid-record';
  if (!row || refused) return { refused };
  const addresses = [uri, row.replyRoot, row.replyParent, row.quote];
  if (addresses.some((address) => address && address.length > MOST_OF_ADDRESS)) {
    return { refused: 'not-storable' };
  }
  const { bytes, boundaries } = record;
  return { post: { ...row, uri, rkey, cid, bytes, boundaries } };
}

function refuseBoundaries(
  boundaries: readonly string[],
  { nodeDid, allowed }: Pick<PostContext, 'nodeDid' | 'allowed'>,
): string | undefined {
  if (boundaries.length === 0) return 'no-boundary';
  if (!boundaries.every((boundary) => boundary.startsWith(`${nodeDid}/`))) {
    return 'foreign-boundary';
  }
  return boundaries.every((boundary) => allowed.has(boundary)) ? undefined : 'boundary-not-held';
}

/** Writes posts of one person in place of their earlier versions; their readers are for the caller. */
export async function writePosts(
  tx: Transaction,
  posts: readonly AcceptedPost[],
  { did, nodeDid, rev, proofRev }: Omit<PostContext, 'allowed'>,
): Promise<void> {
  const placed = posts.map((post) => ({ ...post, did, rev, proofRev }));
  await writePlacedPosts(tx, nodeDid, placed);
}

/** The same for posts of anybody, each there once. */
export async function writePlacedPosts(
  tx: Transaction,
  nodeDid: Did,
  posts: readonly PlacedPost[],
): Promise<void> {
  if (posts.length === 0) return;
  const now = new Date();
  const rows = posts.map(toColumns);
  const uris = posts.map(({ uri }) => uri);
  await tx.$executeRaw`
    with back as (
      delete from stratos_tombstone where uri = any(${uris}::text[]) and node_did = ${nodeDid}
    )
    insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root,
      reply_parent, quote, langs, tags, labels, facets, embed, created_at, indexed_at, sort_at,
      boundaries, proof_rev)
    select uri, ${nodeDid}, cid, did, rkey, rev, decode(record, 'base64'), text, reply_root,
      reply_parent, quote, langs, tags, labels, facets, embed, created_at, ${now}::timestamptz,
      least(created_at, ${now}::timestamptz), boundaries, proof_rev
    from json_to_recordset(${JSON.stringify(rows)}::json) as post(uri text, cid text, did text,
      rkey text, rev text, record text, text text, reply_root text, reply_parent text, quote text,
      langs text[], tags text[], labels text[], facets jsonb, embed jsonb, created_at timestamptz(3),
      boundaries text[], proof_rev text)
    on conflict (uri, node_did) do update set
      cid = excluded.cid, rev = excluded.rev, record = excluded.record, text = excluded.text,
      reply_root = excluded.reply_root, reply_parent = excluded.reply_parent,
      quote = excluded.quote, langs = excluded.langs, tags = excluded.tags,
      labels = excluded.labels, facets = excluded.facets, embed = excluded.embed,
      created_at = excluded.created_at, boundaries = excluded.boundaries,
      proof_rev = excluded.proof_rev, sort_at = least(excluded.created_at, stratos_post.indexed_at)`;
}

function toColumns(post: PlacedPost) {
  const { replyRoot, replyParent, bytes, createdAt, proofRev, ...columns } = post;
  return {
    ...columns,
    reply_root: replyRoot,
    reply_parent: replyParent,
    record: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    created_at: createdAt,
    proof_rev: proofRev,
  };
}

/** Removes posts that their author deleted, and remembers that. */
export async function buryPosts(
  tx: Transaction,
  uris: readonly string[],
  { nodeDid, rev }: Pick<PostContext, 'nodeDid' | 'rev'>,
): Promise<void> {
  await removePosts(tx, uris, nodeDid);
  await writeTombstones(
    tx,
    nodeDid,
    uris.map((uri) => ({ uri, rev })),
  );
}

export async function writeTombstones(
  tx: Transaction,
  nodeDid: string,
  tombstones: readonly { uri: string; rev: string }[],
): Promise<void> {
  if (tombstones.length === 0) return;
  await tx.$executeRaw`
    insert into stratos_tombstone (uri, node_did, rev)
    select uri, ${nodeDid}, rev
    from json_to_recordset(${JSON.stringify(tombstones)}::json) as grave(uri text, rev text)
    on conflict (uri, node_did) do update set rev = excluded.rev, deleted_at = now()`;
}

/** Removes posts, with what shows them and nothing else. */
export async function removePosts(
  tx: Transaction,
  uris: readonly string[],
  nodeDid: string,
): Promise<void> {
  const { changes, proofs } = await takePosts(tx, { nodeDid, uris });
  await removeUnusedProofs(tx, nodeDid, proofs);
  await announce(tx, changes);
}

/**
 * The same, of which the caller has to remove proofs that are used no more, and to announce the changes.
 */
export async function takePosts(
  tx: Transaction,
  { nodeDid, uris }: PostsAtNode,
): Promise<{ changes: Change[]; proofs: ProofKey[] }> {
  if (uris.length === 0) return { changes: [], proofs: [] };
  const changes = await takeReaders(tx, { nodeDid, uris });
  const proofs = await tx.$queryRaw<ProofKey[]>`
    delete from stratos_post where uri = any(${[...uris]}::text[]) and node_did = ${nodeDid}
    returning did, proof_rev as rev`;
  return { changes, proofs };
}
