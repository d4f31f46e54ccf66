import type { StoredProof } from '@stratos/prisma/queries';
import {
  type Boundary,
  InvalidBoundaryError,
  ProofError,
  parseAtUri,
  RepoProof,
  readMembershipEntry,
  recordBoundaries,
} from '@stratos/protocol';
import type { PostProofView, Visible } from '@stratos/schema';
import type { Author } from '../hydration/authors.ts';
import type { HydratedPost } from '../hydration/posts.ts';
import { isAuthor, revealPost } from './reveal.ts';
import type { Scope } from './scope.ts';
import { visible } from './visible.ts';

/**
 * What shows a post to be its author's, proven anew, or undefined when the scope's viewer may not have it. The
 * record as it was signed names all its boundaries. So it is given to its author, and to who shares every one of
 * them; the same goes for what the node states about the author.
 *
 * @throws {@link ProofError} when it shows no such thing
 */
export async function revealProof(
  scope: Scope,
  { post, author, stored }: { post: HydratedPost; author: Author; stored: StoredProof },
): Promise<Visible<PostProofView> | undefined> {
  const { uri, node, cid } = post;
  if (!revealPost(scope, post, author)) return undefined;
  if (!mayKnow(scope, post, boundariesOf(post))) return undefined;
  const { did, collection, rkey } = parseAtUri(uri);
  const { signingKey, car, stubCid } = stored;
  const proof = await RepoProof.read(car, { did, signingKeys: [signingKey] });
  const key = `${collection}/${rkey}`;
  if ((await proof.cidAt(key)) !== cid) {
    throw new ProofError('not-included', 'the repo has another record there');
  }
  return visible({
    ...{ uri, cid, node, signingKey, stubCid },
    record: base64(stored.record),
    commit: base64(await proof.carOf(key)),
    membership: membershipOf(scope, post, stored.entry),
  });
}

/** Whether the viewer may know that somebody is in all these boundaries; nobody else if they are not known. */
function mayKnow(
  scope: Scope,
  { uri }: HydratedPost,
  boundaries: readonly Boundary[] | undefined,
): boolean {
  if (isAuthor(scope, uri)) return true;
  return boundaries?.every((boundary) => scope.boundaries.has(boundary)) ?? false;
}

/** All that the record names, whichever node may speak for them; undefined where one cannot be read. */
function boundariesOf({ value, node }: HydratedPost): Boundary[] | undefined {
  try {
    return recordBoundaries(value, node);
  } catch (error) {
    if (error instanceof InvalidBoundaryError) return undefined;
    throw error;
  }
}

/** The statement as it was signed; null also for what a node says that keeps no log. */
function membershipOf(scope: Scope, post: HydratedPost, bytes: Uint8Array | null): string | null {
  try {
    if (!bytes || !mayKnow(scope, post, readMembershipEntry(bytes).entry.boundaries)) return null;
    return base64(bytes);
  } catch (error) {
    if (error instanceof ProofError) return null;
    throw error;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
