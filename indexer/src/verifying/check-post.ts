import { isDeepStrictEqual } from 'node:util';
import type { Post } from '@stratos/prisma';
import { cidOf, type Did, ProofError, type RepoProof, readRecord } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { readPost } from '../applying/post-row.ts';
import type { FlawKind } from './flaw.ts';

const COLLECTION = zone.stratos.feed.post.$nsid;

/** Recomputes a stored post from its record, and the record from what shows it. */
export async function* checkPost(
  post: Post,
  nodeDid: Did,
  proof: RepoProof | undefined,
): AsyncGenerator<FlawKind> {
  if ((await cidOf(post.record)) !== post.cid) yield 'wrong-bytes';
  if (proof && (await shownCid(proof, post.rkey)) !== post.cid) yield 'not-in-tree';
  if (post.proofRev !== null && post.rev > post.proofRev) yield 'wrong-rev';
  const { record } = readRecord(post.record, nodeDid);
  const row = record && readPost(record.value);
  if (!record || !row) return yield 'wrong-columns';
  if (!isDeepStrictEqual(columnsOf(post), { ...row, uri: uriOf(post) })) yield 'wrong-columns';
  const { boundaries } = record;
  const isOfNode = boundaries.every((boundary) => boundary.startsWith(`${nodeDid}/`));
  if (!isOfNode || !isDeepStrictEqual(post.boundaries, [...boundaries])) yield 'wrong-boundaries';
  const { createdAt, indexedAt, sortAt } = post;
  if (sortAt.getTime() !== Math.min(createdAt.getTime(), indexedAt.getTime())) yield 'wrong-sort';
}

async function shownCid(proof: RepoProof, rkey: string): Promise<string | undefined> {
  try {
    return await proof.cidAt(`${COLLECTION}/${rkey}`);
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}

function columnsOf(post: Post) {
  const { uri, text, replyRoot, replyParent, quote, langs, tags, labels, facets, embed } = post;
  const { createdAt } = post;
  return {
    ...{ uri, text, replyRoot, replyParent, quote, langs, tags, labels, facets, embed },
    createdAt,
  };
}

function uriOf({ did, rkey }: Post): string {
  return `at://${did}/${COLLECTION}/${rkey}`;
}
