import { zone } from '@stratos/protocol/lexicons';
import { seePost } from './over-trpc.ts';
import { DEPTH, hasPosts, type Question, type SeenPost, type SeenReply } from './questions.ts';
import { type Answer, authorization, send } from './send.ts';
import type { Door } from './surfaces.ts';

type Param = string | number | boolean | string[] | undefined;

export function xrpc(
  gateway: string,
  token: string | undefined,
  nsid: string,
  params: Record<string, Param> = {},
): Promise<Answer> {
  const given = Object.entries(params).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined ? [] : [[name, String(one)]])),
  );
  const query = new URLSearchParams(given);
  return send(`${gateway}/xrpc/${nsid}?${query}`, { headers: authorization(token) });
}

const { actor, boundary, feed, gateway, node } = zone.stratos;

const METHODS: Record<Question['operation'], { $nsid: string }> = {
  viewer: gateway.getViewer,
  timeline: feed.getTimeline,
  authorFeed: feed.getAuthorFeed,
  search: feed.searchPosts,
  replies: feed.getReplies,
  post: feed.getPost,
  postProof: feed.getPostProof,
  posts: feed.getPosts,
  thread: feed.getPostThread,
  actor: actor.getProfile,
  boundary: boundary.getBoundary,
  boundaries: boundary.listBoundaries,
  node: node.getNode,
};

export const overXrpc: Door = {
  name: 'XRPC',
  ask: (url, token, { operation, ...args }) =>
    xrpc(url, token, METHODS[operation].$nsid, {
      ...args,
      ...(hasPosts(operation) && { counts: true }),
      ...(operation === 'thread' && { depth: DEPTH }),
    }),
  read(question, answer) {
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw answer;
    const body = JSON.parse(answer.body);
    switch (question.operation) {
      case 'timeline':
      case 'authorFeed': {
        const posts = body.feed.map((item: { post: SeenPost }) => see(item.post));
        return { posts, unavailable: body.unavailable, cursor: cursorOf(question, body) };
      }
      case 'search':
      case 'replies':
        return {
          posts: body.posts.map(see),
          unavailable: body.unavailable,
          cursor: cursorOf(question, body),
        };
      case 'post':
        return see(body.post);
      case 'postProof':
        return body.proof ? { membership: null, stubCid: null, ...body.proof } : null;
      case 'posts':
        return question.uris.map((uri) => {
          const post = body.posts.find((one: SeenPost) => one.uri === uri);
          return post ? see(post) : null;
        });
      case 'thread':
        return { ancestors: body.ancestors.map(see), ...seeReply(body.thread) };
      case 'boundaries':
        return body.boundaries;
      default:
        return body;
    }
  },
};

function cursorOf(
  { direction }: { direction?: 'forward' | 'backward' | undefined },
  { cursor, previousCursor }: { cursor?: string; previousCursor?: string },
): string | undefined {
  return direction === 'backward' ? previousCursor : cursor;
}

/** A post with null where the lexicon has nothing. */
function see(post: SeenPost): SeenPost {
  const { facets, images, external, quote, ...rest } = seePost(post);
  return {
    ...rest,
    facets: facets.map((facet) => ({ mention: null, link: null, tag: null, ...Object(facet) })),
    images: images.map((image) => ({ aspectRatio: null, ...Object(image) })),
    external: external && { thumb: null, ...Object(external) },
    quote: quote && see(quote),
  };
}

interface Reply {
  post: SeenPost;
  replies?: { posts: Reply[]; cursor?: string };
}

function seeReply({ post, replies }: Reply): SeenReply {
  return {
    post: see(post),
    replies: replies
      ? { posts: replies.posts.map(seeReply), hasMore: replies.cursor !== undefined }
      : null,
  };
}
