import type { VisiblePostEdge, VisiblePostPage } from '../operations.ts';
import type { Builder } from './builder.ts';
import type { PostRef } from './post.ts';
import type { UnavailablePostRef } from './unavailable-post.ts';

/** A page of posts in the shape of Relay. */
export function addPostConnection(
  builder: Builder,
  { post, unavailablePost }: { post: PostRef; unavailablePost: UnavailablePostRef },
) {
  const edge = builder.objectRef<VisiblePostEdge>('PostEdge').implement({
    description: 'A post in a page.',
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description: 'Where this edge lies: opaque, good for this viewer and this feed only.',
      }),
      node: t.field({ type: post, description: 'The post.', resolve: ({ node }) => node }),
    }),
  });
  const pageInfo = addPageInfo(builder);
  return builder.objectRef<VisiblePostPage>('PostConnection').implement({
    description:
      'A page of posts. With those that are unavailable it is full, or it is the last in its direction.',
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: 'The posts of the page, with their cursors, in the order of the feed.',
        resolve: (page) => page.edges,
      }),
      unavailable: t.field({
        type: [unavailablePost],
        description:
          'Posts that the page would have, too, if their nodes answered, in the order of the feed. Cursors lead past them.',
        resolve: (page) => page.unavailable,
      }),
      pageInfo: t.field({
        type: pageInfo,
        description: 'Where this page lies in its feed.',
        resolve: (page) => page,
      }),
    }),
  });
}

export type PostConnectionRef = ReturnType<typeof addPostConnection>;

/** The arguments of a feed that goes forward only. */
export function forwardArgs(builder: Builder) {
  return builder.args((t) => ({
    first: t.int({
      description:
        'Posts in a page from the beginning, or after `after`: 1 to 100, 50 unless given.',
    }),
    after: t.string({ description: 'Cursor of the edge after which to go on.' }),
  }));
}

/** The arguments of a feed that goes both ways. */
export function pagingArgs(builder: Builder) {
  return builder.args((t) => ({
    ...forwardArgs(builder),
    last: t.int({
      description:
        'Posts in a page from the end, or before `before`: 1 to 100. Not with `first` or `after`.',
    }),
    before: t.string({ description: 'Cursor of the edge before which to end. Needs `last`.' }),
  }));
}

/** What was really given of some arguments: null stands for "not given". */
export function given<Args extends Record<string, unknown>>(args: Args) {
  return Object.fromEntries(
    Object.entries(args).filter(([, value]) => value !== null && value !== undefined),
  ) as { [Name in keyof Args]?: NonNullable<Args[Name]> };
}

function addPageInfo(builder: Builder) {
  return builder.objectRef<VisiblePostPage>('PageInfo').implement({
    description: 'Where a page lies in its feed.',
    fields: (t) => ({
      hasNextPage: t.boolean({
        description: 'Whether the feed has a post after this page that the viewer may see.',
        resolve: (page) => page.hasNextPage(),
      }),
      hasPreviousPage: t.boolean({
        description: 'Whether the feed has a post before this page that the viewer may see.',
        resolve: (page) => page.hasPreviousPage(),
      }),
      startCursor: t.string({
        nullable: true,
        description: 'Where the page begins: `before` of the previous page.',
        resolve: (page) => page.startCursor,
      }),
      endCursor: t.string({
        nullable: true,
        description: 'Where the page ends: `after` of the next page.',
        resolve: (page) => page.endCursor,
      }),
    }),
  });
}
