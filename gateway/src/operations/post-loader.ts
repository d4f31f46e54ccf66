import type { AtUri } from '@stratos/protocol';
import type { PostView, Visible } from '@stratos/schema';
import DataLoader from 'dataloader';
import type { ScopedRead } from '../access/scope.ts';
import { postsSkeleton } from '../feeds/posts.ts';
import { findPosts, revealAll } from './found.ts';
import type { Hydration } from './request.ts';

/** The posts at an address that the viewer may see, of each node that holds one; the best is first. */
export type PostLoader = DataLoader<AtUri, Visible<PostView>[]>;

/** Loads posts by their addresses for one request. */
export function createPostLoader(read: ScopedRead, hydration: Hydration): PostLoader {
  return new DataLoader(async (uris) => {
    const found = await findPosts(read, (transaction, scope) =>
      postsSkeleton(transaction, scope, uris),
    );
    const revealed = await revealAll(hydration, found);
    const posts = revealed.flatMap((one) => one?.post ?? []);
    const byUri = Map.groupBy(posts, ({ uri }) => uri);
    return uris.map((uri) => byUri.get(uri) ?? []);
  });
}
