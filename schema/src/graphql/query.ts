import { operationsOf } from '../context.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';
import { forwardArgs, given, type PostConnectionRef, pagingArgs } from './feed.ts';
import { decodeGlobalID } from './global-id.ts';
import { type PostRef, parsePostId } from './post.ts';
import type { ProfileRef } from './profile.ts';
import type { StratosNodeRef } from './stratos-node.ts';
import type { ThreadRef } from './thread.ts';
import type { UnavailablePostRef } from './unavailable-post.ts';
import type { ViewerRef } from './viewer.ts';

interface Refs {
  boundary: BoundaryRef;
  post: PostRef;
  postConnection: PostConnectionRef;
  profile: ProfileRef;
  stratosNode: StratosNodeRef;
  thread: ThreadRef;
  unavailablePost: UnavailablePostRef;
  viewer: ViewerRef;
}

export function addQuery(builder: Builder, refs: Refs): void {
  builder.queryType({
    description: 'Everything that can be asked. All of it needs somebody to be signed in.',
  });
  addFeeds(builder, refs);
  addPosts(builder, refs);
  addPeople(builder, refs);
}

function addFeeds(builder: Builder, { postConnection }: Refs): void {
  builder.queryFields((t) => {
    const boundary = t.arg({ type: 'Boundary', description: 'Only posts of this boundary.' });
    const feed = { boundary, ...pagingArgs(builder) };
    return {
      timeline: t.field({
        type: postConnection,
        description: 'Posts of all boundaries that the viewer is a member of, newest first.',
        args: feed,
        resolve: (_, args, context) => operationsOf(context).timeline(given(args)),
      }),
      authorFeed: t.field({
        type: postConnection,
        description:
          'Posts of one author in boundaries that the viewer shares, newest first; all of the viewer’s own.',
        args: {
          actor: t.arg.string({ required: true, description: 'DID or handle of the author.' }),
          ...feed,
        },
        resolve: (_, { actor, ...args }, context) =>
          operationsOf(context).authorFeed({ actor, ...given(args) }),
      }),
      search: t.field({
        type: postConnection,
        description:
          'Posts that have all words of a text, newest first. Words are compared in lower case and otherwise as written.',
        args: {
          text: t.arg.string({
            required: true,
            description: 'The words, up to 256 graphemes. Without a word in it nothing is found.',
          }),
          boundary,
          ...forwardArgs(builder),
        },
        resolve: (_, { text, ...args }, context) =>
          operationsOf(context).search({ text, ...given(args) }),
      }),
    };
  });
}

function addPosts(builder: Builder, { post, postConnection, thread, unavailablePost }: Refs): void {
  builder.queryFields((t) => ({
    post: t.field({
      type: post,
      nullable: true,
      description: 'One post; null when it is missing, deleted or hidden.',
      args: { uri: t.arg({ type: 'AtUri', required: true, description: 'Its address.' }) },
      resolve: (_, { uri }, context) => operationsOf(context).post({ uri }),
    }),
    posts: t.field({
      type: [post],
      nullable: { list: false, items: true },
      description:
        'Posts by their addresses, in the order of these; null in the place of each that is missing, deleted or hidden.',
      args: {
        uris: t.arg({
          type: ['AtUri'],
          required: true,
          description: 'Their addresses, 25 at most.',
        }),
      },
      resolve: (_, { uris }, context) => operationsOf(context).posts({ uris }),
    }),
    unavailablePosts: t.field({
      type: [unavailablePost],
      description:
        'Those of some addresses for which `posts` has null only because no node that holds the post answers at the moment.',
      args: {
        uris: t.arg({
          type: ['AtUri'],
          required: true,
          description: 'Their addresses, 25 at most.',
        }),
      },
      resolve: (_, { uris }, context) => operationsOf(context).unavailablePosts({ uris }),
    }),
    thread: t.field({
      type: thread,
      nullable: true,
      description: 'A post and what it answers; null when the post is missing, deleted or hidden.',
      args: {
        uri: t.arg({ type: 'AtUri', required: true, description: 'The address of the post.' }),
        height: t.arg.int({ description: 'Ancestors at most: 0 to 10, 10 unless given.' }),
      },
      resolve: (_, { uri, height }, context) =>
        operationsOf(context).thread({ uri, height: height ?? undefined, depth: 0 }),
    }),
    replies: t.field({
      type: postConnection,
      description:
        'Direct replies to a post that the viewer may see, oldest first, whether they may see that post or not.',
      args: {
        uri: t.arg({ type: 'AtUri', required: true, description: 'The address of the post.' }),
        ...pagingArgs(builder),
      },
      resolve: (_, { uri, ...args }, context) =>
        operationsOf(context).replies({ uri, ...given(args) }),
    }),
    node: t.field({
      type: builder.nodeInterfaceRef(),
      nullable: true,
      description: 'Whatever has this global id; null when it is missing, deleted or hidden.',
      args: { id: t.arg.id({ required: true, description: 'The global id.' }) },
      resolve: (_, args, context) => {
        const operations = operationsOf(context);
        const { typename, id } = decodeGlobalID(args.id);
        const found = typename === post.name ? parsePostId(id) : undefined;
        return found ? operations.postAt(found) : null;
      },
    }),
  }));
}

function addPeople(builder: Builder, { boundary, profile, stratosNode, viewer }: Refs): void {
  builder.queryFields((t) => ({
    viewer: t.field({
      type: viewer,
      description: 'Who is asking.',
      resolve: (_, __, context) => operationsOf(context).viewer(),
    }),
    actor: t.field({
      type: profile,
      nullable: true,
      description:
        'A person; null unless they are the viewer, or have written what the viewer may read.',
      args: { actor: t.arg.string({ required: true, description: 'Their DID or handle.' }) },
      resolve: (_, { actor }, context) => operationsOf(context).actor({ actor }),
    }),
    boundary: t.field({
      type: boundary,
      nullable: true,
      description: 'A boundary; null when the viewer is not a member of it, or there is none.',
      args: {
        uri: t.arg({ type: 'Boundary', required: true, description: 'The qualified boundary.' }),
      },
      resolve: async (_, { uri }, context) =>
        (await operationsOf(context).boundary({ boundary: uri }))?.uri ?? null,
    }),
    boundaries: t.field({
      type: [boundary],
      description: 'All boundaries that the viewer is a member of, open or not, in order.',
      resolve: async (_, __, context) =>
        (await operationsOf(context).boundaries()).map(({ uri }) => uri),
    }),
    stratosNode: t.field({
      type: stratosNode,
      nullable: true,
      description: 'A Stratos node; null unless the viewer is or was enrolled with it.',
      args: { did: t.arg({ type: 'Did', required: true, description: 'Its DID.' }) },
      resolve: (_, { did }, context) => operationsOf(context).node({ did }),
    }),
  }));
}
