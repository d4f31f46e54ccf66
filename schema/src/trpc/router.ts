import { initTRPC } from '@trpc/server';
import { type ApiContext, operationsOf } from '../context.ts';
import { pageInput } from '../page-input.ts';
import type {
  BoundaryView,
  NodeView,
  PostProofView,
  ProfileView,
  UnavailablePostView,
  ViewerView,
} from '../views.ts';
import { wholePage, wholePost, wholeThread } from '../whole-post.ts';
import { errorData, toTrpcError } from './errors.ts';
import {
  actorInput,
  authorFeedInput,
  boundaryInput,
  nodeInput,
  postInput,
  postProofInput,
  postsInput,
  repliesInput,
  searchInput,
  threadInput,
  timelineInput,
  unavailablePostsInput,
} from './inputs.ts';
import { followPosts, livePostsInput } from './live-router.ts';

/** Milliseconds between signs of life on a stream where nothing happens. */
const PING_MS = 15_000;
/** Milliseconds without one after which clients open a stream anew. */
const SILENCE_MS = 45_000;

const t = initTRPC.context<ApiContext>().create({
  isDev: false,
  sse: {
    ping: { enabled: true, intervalMs: PING_MS },
    client: { reconnectAfterInactivityMs: SILENCE_MS },
  },
  errorFormatter: ({ shape, error }) => ({ ...shape, ...errorData(shape, error) }),
});

const procedure = t.procedure.use(async ({ ctx, next }) => {
  const operations = attempt(() => operationsOf(ctx));
  const result = await next({ ctx: { operations } });
  if (result.ok) return result;
  throw toTrpcError(result.error);
});

const router = t.router({
  /** Who is asking. */
  viewer: procedure.query(({ ctx }): Promise<ViewerView> => ctx.operations.viewer()),
  /** What happens to the posts of the timeline, as it happens. */
  livePosts: procedure
    .input(livePostsInput)
    .subscription(({ ctx, input }) => followPosts(ctx, input)),
  /** Posts of all boundaries that the viewer is a member of, newest first. */
  timeline: procedure.input(timelineInput).query(async ({ ctx: { operations }, input }) => {
    const { boundary } = input;
    return wholePage(
      operations,
      await operations.timeline({ boundary, ...pageInput(input) }),
      input,
    );
  }),
  /** Posts of one author that the viewer may see, newest first. */
  authorFeed: procedure.input(authorFeedInput).query(async ({ ctx: { operations }, input }) => {
    const { actor, boundary } = input;
    const page = await operations.authorFeed({ actor, boundary, ...pageInput(input) });
    return wholePage(operations, page, input);
  }),
  /** Posts that have all words of a text, newest first. Forward only. */
  search: procedure.input(searchInput).query(async ({ ctx: { operations }, input }) => {
    const { text, boundary, limit: first, cursor } = input;
    const page = await operations.search({ text, boundary, first, after: cursor ?? undefined });
    return wholePage(operations, page, input);
  }),
  /** One post, or null when it is missing, deleted or hidden. */
  post: procedure.input(postInput).query(async ({ ctx: { operations }, input }) => {
    const post = await operations.post({ uri: input.uri });
    return post && wholePost(operations, post, input);
  }),
  /** What shows that a post is what its author signed, or null when the post or its proof is not for the viewer. */
  postProof: procedure
    .input(postProofInput)
    .query(async ({ ctx: { operations }, input }): Promise<PostProofView | null> => {
      const post = await operations.post(input);
      return post && operations.postProof(post);
    }),
  /** Posts in the order of their addresses, null in the place of each that is missing or hidden. */
  posts: procedure.input(postsInput).query(async ({ ctx: { operations }, input }) => {
    const posts = await operations.posts({ uris: input.uris });
    return Promise.all(posts.map((post) => post && wholePost(operations, post, input)));
  }),
  /** Those for which `posts` has null only because no node that holds the post answers at the moment. */
  unavailablePosts: procedure
    .input(unavailablePostsInput)
    .query(
      ({ ctx, input }): Promise<UnavailablePostView[]> => ctx.operations.unavailablePosts(input),
    ),
  /** A post with what it answers and what answers it, or null when it is missing, deleted or hidden. */
  thread: procedure.input(threadInput).query(async ({ ctx: { operations }, input }) => {
    const thread = await operations.thread(input);
    return thread && wholeThread(operations, thread, input);
  }),
  /** Direct replies to a post, oldest first. */
  replies: procedure.input(repliesInput).query(async ({ ctx: { operations }, input }) => {
    const page = await operations.replies({ uri: input.uri, ...pageInput(input) });
    return wholePage(operations, page, input);
  }),
  /** A person, or null unless they are the viewer or have written what the viewer may read. */
  actor: procedure
    .input(actorInput)
    .query(({ ctx, input }): Promise<ProfileView | null> => ctx.operations.actor(input)),
  /** A boundary, or null when the viewer is not a member of it. */
  boundary: procedure
    .input(boundaryInput)
    .query(({ ctx, input }): Promise<BoundaryView | null> => ctx.operations.boundary(input)),
  /** All boundaries that the viewer is a member of, open or not. */
  boundaries: procedure.query(({ ctx }): Promise<BoundaryView[]> => ctx.operations.boundaries()),
  /** A node, or null unless the viewer is or was enrolled with it. */
  node: procedure
    .input(nodeInput)
    .query(({ ctx, input }): Promise<NodeView | null> => ctx.operations.node(input)),
});

/** The router, for clients to infer their types from. */
export type StratosRouter = typeof router;

/** The tRPC router over the operations of its context. */
export function createRouter(): StratosRouter {
  return router;
}

function attempt<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw toTrpcError(cause);
  }
}
