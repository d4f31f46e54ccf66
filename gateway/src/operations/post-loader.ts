import type { AtUri } from '@stratos/protocol';
import type { PostView, UnavailablePostView, Visible } from '@stratos/schema';
import DataLoader from 'dataloader';
import type { ScopedRead } from '../access/scope.ts';
import { postsSkeleton } from '../feeds/posts.ts';
import { findPosts, revealAll } from './found.ts';
import type { Hydration } from './request.ts';

/** What the index has for the viewer at an address. */
export interface HeldPosts {
  /** Those that the viewer may see, of each node that holds one; the best is first. */
  posts: Visible<PostView>[];
  /** Those whose nodes do not give them. */
  unavailable: Visible<UnavailablePostView>[];
}

export type PostLoader = DataLoader<AtUri, HeldPosts>;

/** Loads posts by their addresses for one request. */
export function createPostLoader(read: ScopedRead, hydration: Hydration): PostLoader {
  return new DataLoader(async (uris) => {
    const found = await findPosts(read, (transaction, scope) =>
      postsSkeleton(transaction, scope, uris),
    );
    const revealed = (await revealAll(hydration, found)).filter((one) => one !== undefined);
    const byUri = Map.groupBy(revealed, ({ position }) => position.uri);
    return uris.map((uri) => {
      const held = byUri.get(uri) ?? [];
      return {
        posts: held.flatMap(({ post }) => post ?? []),
        unavailable: held.flatMap(({ unavailable }) => unavailable ?? []),
      };
    });
  });
}
