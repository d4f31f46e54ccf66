import type { ReadPool } from '@stratos/prisma';
import {
  type ReadablePost,
  type ReaderChange,
  readablePosts,
  type Transaction,
} from '@stratos/prisma/queries';
import { type AtUri, type Boundary, type Did, parseAtUri } from '@stratos/protocol';
import { openForAudience } from '../access/audience.ts';
import { createAuthorLoader } from '../hydration/authors.ts';
import { type PostHydrator, readPosts, type StoredPost } from '../hydration/posts.ts';
import { PostNews, type ReadPost } from './news.ts';
import { readChanges } from './read-changes.ts';

/** What changed after a position, and what it comes to, all as of one moment. */
export interface Page {
  changes: ReaderChange[];
  /** In the order of their newest change, each post once. */
  news: PostNews[];
}

export interface PageOptions {
  reads: ReadPool;
  hydrate: PostHydrator;
}

export interface PageQuery {
  after: bigint;
  /** What it may have at most. */
  limits: { changes: number; posts: number };
  /** Boundaries in which somebody reads for whom the page is. */
  boundaries: () => Iterable<Boundary>;
  isRead: (boundary: Boundary) => boolean;
}

/** A post, and what happened to it since the page before. */
interface Touched {
  seq: bigint;
  uri: AtUri;
  node: Did;
  goneFrom: Set<Boundary>;
}

/** A post with where it may be read, and its bytes. */
interface Stored {
  readable: ReadablePost;
  stored: StoredPost;
}

/**
 * Reads all changes after a position, and the posts that they are about, in one snapshot. So who was removed
 * before a post was written is known to be, whenever the post is. Undefined when it would be too much.
 */
export async function readPage(
  { reads, hydrate }: PageOptions,
  query: PageQuery,
): Promise<Page | undefined> {
  const read = await reads.snapshot((transaction) => readSnapshot(transaction, query));
  if (!read) return undefined;
  const { changes, touched, posts } = read;
  const authors = createAuthorLoader(reads);
  const news = touched.map(async ({ seq, uri, node, goneFrom }) => {
    const found = posts.get(keyOf({ uri, node }));
    return new PostNews({
      seq,
      uri,
      node,
      found: found && (await verified(found)),
      goneFrom: [...goneFrom],
    });
  });
  return { changes, news: await Promise.all(news) };

  async function verified({ readable, stored }: Stored): Promise<ReadPost | undefined> {
    const [post, author] = await Promise.all([
      hydrate(stored),
      authors.load(parseAtUri(readable.uri).did),
    ]);
    const size = stored.content?.record?.length ?? 0;
    return typeof post === 'object' ? { post, author, readers: readable.readers, size } : undefined;
  }
}

async function readSnapshot(transaction: Transaction, query: PageQuery) {
  const { after, limits } = query;
  const changes = await readChanges(transaction, { after, limit: limits.changes });
  if (!changes) return undefined;
  const touched = touchedPosts(changes, query.isRead);
  if (touched.length > limits.posts) return undefined;
  const posts = new Map<string, Stored>();
  if (touched.length > 0) {
    await openForAudience(transaction, query.boundaries());
    const readable = await readablePosts(transaction, touched);
    const stored = await readPosts(transaction, readable);
    for (const [index, post] of readable.entries()) {
      const content = stored[index];
      if (content) posts.set(keyOf(post), { readable: post, stored: content });
    }
  }
  return { changes, touched, posts };
}

/** The posts that somebody reads, by their newest change. */
function touchedPosts(
  changes: readonly ReaderChange[],
  isRead: (boundary: Boundary) => boolean,
): Touched[] {
  const touched = new Map<string, Touched>();
  for (const { seq, kind, uri, node, boundaries } of changes) {
    if ((kind !== 'post' && kind !== 'gone') || !uri || !node) continue;
    if (!boundaries.some(isRead)) continue;
    const key = keyOf({ uri, node });
    const { goneFrom = new Set<Boundary>() } = touched.get(key) ?? {};
    if (kind === 'gone') for (const boundary of boundaries) goneFrom.add(boundary);
    touched.delete(key);
    touched.set(key, { seq, uri, node, goneFrom });
  }
  return [...touched.values()];
}

function keyOf({ uri, node }: { uri: AtUri; node: Did }): string {
  return `${node} ${uri}`;
}
