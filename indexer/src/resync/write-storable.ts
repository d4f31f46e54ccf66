import { type AcceptedPost, type PostContext, writePosts } from '../applying/apply-post.ts';
import { isUnstorable, type Transaction } from '../database.ts';

/**
 * Writes posts of one person, without those that the database cannot hold.
 *
 * @returns the addresses of these
 */
export async function writeStorable(
  tx: Transaction,
  posts: readonly AcceptedPost[],
  place: Omit<PostContext, 'allowed'>,
): Promise<string[]> {
  if (await isStored(tx, () => writePosts(tx, posts, place))) return [];
  if (posts.length === 1) return posts.map(({ uri }) => uri);
  const half = posts.length >> 1;
  return [
    ...(await writeStorable(tx, posts.slice(0, half), place)),
    ...(await writeStorable(tx, posts.slice(half), place)),
  ];
}

/** Does some work, of which nothing is left when the database cannot hold it. */
async function isStored(tx: Transaction, work: () => Promise<void>): Promise<boolean> {
  await tx.$executeRaw`savepoint storing`;
  try {
    await work();
    await tx.$executeRaw`release savepoint storing`;
    return true;
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    await tx.$executeRaw`rollback to savepoint storing`;
    return false;
  }
}
