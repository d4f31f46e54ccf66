import type { VisiblePostPage } from '../operations.ts';
import type { Builder } from './builder.ts';
import type { PostRef } from './post.ts';

export function addPostConnection(builder: Builder, post: PostRef) {
  return builder.connectionObject(
    {
      type: post,
      name: 'PostConnection',
      description: 'A page of posts, newest first. It is full, or it is the last.',
    },
    { name: 'PostEdge', description: 'A post in a page.' },
  );
}

export type PostConnectionRef = ReturnType<typeof addPostConnection>;

/** A page of a feed in the shape of Relay. */
export function toConnection({ edges, hasNextPage }: VisiblePostPage, after?: string | null) {
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage: typeof after === 'string',
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
