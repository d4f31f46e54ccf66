import { toAtUri, toBoundary } from '@stratos/protocol';
import { initTRPC } from '@trpc/server';
import { type ApiContext, operationsOf } from '../context.ts';
import type { TimelineInput, VisiblePostPage } from '../operations.ts';
import type { PostView, ViewerView } from '../views.ts';
import type { Visible } from '../visible.ts';
import { errorData, toTrpcError } from './errors.ts';
import { authorFeedInput, postInput, timelineInput } from './inputs.ts';

/** One page of a feed. */
export interface PostsPage {
  posts: PostView[];
  /** Where the next page begins; null on the last one. */
  cursor: string | null;
}

const t = initTRPC.context<ApiContext>().create({
  isDev: false,
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
  /** Posts of all boundaries that the viewer is a member of, newest first. */
  timeline: procedure
    .input(timelineInput)
    .query(async ({ ctx, input }) => postsPage(await ctx.operations.timeline(page(input)))),
  /** Posts of one author that the viewer may see, newest first. */
  authorFeed: procedure.input(authorFeedInput).query(async ({ ctx, input }) => {
    const { actor, ...rest } = input;
    return postsPage(await ctx.operations.authorFeed({ actor, ...page(rest) }));
  }),
  /** One post, or null when it is missing, deleted or hidden. */
  post: procedure.input(postInput).query(({ ctx, input }): Promise<PostView | null> => {
    return ctx.operations.post({
      uri: toAtUri(input.uri),
    }) satisfies Promise<Visible<PostView> | null>;
  }),
});

/** The router, for clients to infer their types from. */
export type StratosRouter = typeof router;

/** The tRPC router over the operations of its context. */
export function createRouter(): StratosRouter {
  return router;
}

function page(input: {
  boundary?: string | undefined;
  limit?: number | undefined;
  cursor?: string | null | undefined;
}): TimelineInput {
  return {
    boundary: input.boundary === undefined ? undefined : toBoundary(input.boundary),
    first: input.limit,
    after: input.cursor ?? undefined,
  };
}

function postsPage({ edges, hasNextPage }: VisiblePostPage): PostsPage {
  return {
    posts: edges.map((edge) => edge.node),
    cursor: hasNextPage ? (edges.at(-1)?.cursor ?? null) : null,
  };
}

function attempt<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw toTrpcError(cause);
  }
}
