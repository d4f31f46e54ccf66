import { postProofs } from '@stratos/prisma/queries';
import { decodeRecord, ProofError, parseAtUri } from '@stratos/protocol';
import type { PostProofView, PostView, Visible } from '@stratos/schema';
import DataLoader from 'dataloader';
import { revealProof } from '../access/reveal-proof.ts';
import type { ScopedRead } from '../access/scope.ts';
import type { AuthorLoader } from '../hydration/authors.ts';
import { postKey } from '../hydration/posts.ts';
import type { Logger } from '../logger.ts';
import type { Request } from './request.ts';

type Post = Visible<PostView>;
type Proof = Visible<PostProofView>;

/** Proofs of posts; null for those that the viewer may not have. */
export type ProofLoader = DataLoader<Post, Proof | null, string>;

/** Loads proofs for one request. */
export function createProofLoader(
  read: ScopedRead,
  { authors, logger }: { authors: AuthorLoader; logger: Logger },
): ProofLoader {
  return new DataLoader<Post, Proof | null, string>(
    async (posts) => {
      const { scope, found } = await read(async (transaction, scope) => ({
        scope,
        found: await postProofs(transaction, posts),
      }));
      const proofs = new Map(found.map((proof) => [postKey(proof), proof]));
      return Promise.all(
        posts.map(async (post) => {
          const stored = proofs.get(postKey(post));
          if (stored?.cid !== post.cid) return null;
          const { uri, node, cid, record, indexedAt } = stored;
          const author = await authors.load(parseAtUri(uri).did);
          try {
            const value = await decodeRecord(record, cid);
            const hydrated = { uri, node, cid, value, indexedAt };
            return (await revealProof(scope, { post: hydrated, author, stored })) ?? null;
          } catch (error) {
            if (!(error instanceof ProofError)) throw error;
            logger.warn({ uri, node, reason: error.reason }, 'proof not served');
            return null;
          }
        }),
      );
    },
    { cacheKeyFn: postKey },
  );
}

export async function postProof({ budget, proofs }: Request, post: Post): Promise<Proof | null> {
  budget.spend(1);
  return proofs.load(post);
}
