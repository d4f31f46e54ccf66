import { operationsOf } from '../context.ts';
import { DEFAULT_PAGE_SIZE } from '../operations.ts';
import type { Builder } from './builder.ts';
import { type PostConnectionRef, toConnection } from './feed.ts';
import { decodeGlobalID } from './global-id.ts';
import { type PostRef, parsePostId } from './post.ts';
import type { ViewerRef } from './viewer.ts';

interface Refs {
  post: PostRef;
  postConnection: PostConnectionRef;
  viewer: ViewerRef;
}

export function addQuery(builder: Builder, refs: Refs): void {
  builder.queryType({
    description: 'Everything that can be asked. All of it needs somebody to be signed in.',
    fields: (t) => {
      const paging = {
        boundary: t.arg({ type: 'Boundary', description: 'Only posts of this boundary.' }),
        first: t.arg.int({
          defaultValue: DEFAULT_PAGE_SIZE,
          description: 'Posts in a page, 1 to 100.',
        }),
        after: t.arg.string({ description: 'Cursor of the edge after which to go on.' }),
      };
      return {
        viewer: t.field({
          type: refs.viewer,
          description: 'Who is asking.',
          resolve: (_, __, context) => operationsOf(context).viewer(),
        }),
        timeline: t.field({
          type: refs.postConnection,
          description: 'Posts of all boundaries that the viewer is a member of, newest first.',
          args: paging,
          resolve: async (_, args, context) =>
            toConnection(await operationsOf(context).timeline(given(args)), args.after),
        }),
        authorFeed: t.field({
          type: refs.postConnection,
          description:
            'Posts of one author in boundaries that the viewer shares, newest first; all of the viewer’s own.',
          args: {
            actor: t.arg.string({ required: true, description: 'DID or handle of the author.' }),
            ...paging,
          },
          resolve: async (_, { actor, ...args }, context) =>
            toConnection(
              await operationsOf(context).authorFeed({ actor, ...given(args) }),
              args.after,
            ),
        }),
        post: t.field({
          type: refs.post,
          nullable: true,
          description: 'One post; null when it is missing, deleted or hidden.',
          args: { uri: t.arg({ type: 'AtUri', required: true, description: 'Its address.' }) },
          resolve: (_, { uri }, context) => operationsOf(context).post({ uri }),
        }),
        node: t.field({
          type: builder.nodeInterfaceRef(),
          nullable: true,
          description: 'Whatever has this global id; null when it is missing, deleted or hidden.',
          args: { id: t.arg.id({ required: true, description: 'The global id.' }) },
          resolve: (_, args, context) => {
            const operations = operationsOf(context);
            const { typename, id } = decodeGlobalID(args.id);
            const post = typename === refs.post.name ? parsePostId(id) : undefined;
            return post ? operations.postAt(post) : null;
          },
        }),
      };
    },
  });
}

/** What was really given: null stands for "not given". */
function given<Args extends Record<string, unknown>>(args: Args) {
  return Object.fromEntries(
    Object.entries(args).filter(([, value]) => value !== null && value !== undefined),
  ) as { [Name in keyof Args]?: NonNullable<Args[Name]> };
}
