import { zone } from '@stratos/protocol/lexicons';
import { seePost } from './over-trpc.ts';
import type { Question, SeenPost, SeenReply, SeenUnavailable } from './questions.ts';
import { type Answer, authorization, send } from './send.ts';
import type { Door } from './surfaces.ts';

export function graphql(
  gateway: string,
  token: string | undefined,
  query: string,
  variables: Record<string, unknown> = {},
  path = '/graphql',
): Promise<Answer> {
  return send(`${gateway}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body: JSON.stringify({ query, variables }),
  });
}

/** Where GraphQL is asked for as a procedure of XRPC. */
export const GRAPHQL_PROCEDURE = `/xrpc/${zone.stratos.gateway.graphql.$nsid}`;

const BLOB = 'cid mimeType size path';
const QUOTE = `uri cid author { did handle } record indexedAt boundaries { uri }
  facets { byteStart byteEnd mention link tag }
  images { alt aspectRatio { width height } blob { ${BLOB} } }
  external { uri title description thumb { ${BLOB} } }`;
const POST = `${QUOTE} quote { ${QUOTE} } replyCount quoteCount`;
const PAGE = `{ edges { node { ${POST} } } unavailable { uri node }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`;
const PAGING = '$first: Int, $after: String, $last: Int, $before: String';
const PAGED = 'first: $first, after: $after, last: $last, before: $before';
const BOUNDARY = '{ uri name node membership { isOpen statedAt } }';

/** Of each operation its variables and its selection. */
const DOCUMENTS: Record<Question['operation'], string> = {
  viewer: '{ viewer { did handle boundaries { uri } } }',
  boundaries: `{ boundaries ${BOUNDARY} }`,
  boundary: `($boundary: Boundary!) { boundary(uri: $boundary) ${BOUNDARY} }`,
  node: `($did: Did!) { node: stratosNode(did: $did) {
    did endpoint isHeard isEnrolled statedAt boundaries { uri } } }`,
  actor: `($actor: String!) { actor(actor: $actor) {
    did handle boundaries { boundary { uri } postCount } } }`,
  timeline: `($boundary: Boundary, ${PAGING}) {
    timeline(boundary: $boundary, ${PAGED}) ${PAGE} }`,
  authorFeed: `($actor: String!, $boundary: Boundary, ${PAGING}) {
    authorFeed(actor: $actor, boundary: $boundary, ${PAGED}) ${PAGE} }`,
  search: `($text: String!, $boundary: Boundary, $first: Int, $after: String) {
    search(text: $text, boundary: $boundary, first: $first, after: $after) ${PAGE} }`,
  replies: `($uri: AtUri!, ${PAGING}) { replies(uri: $uri, ${PAGED}) ${PAGE} }`,
  post: `($uri: AtUri!) { post(uri: $uri) { ${POST} } }`,
  postProof: `($uri: AtUri!) { post(uri: $uri) {
    proof { uri cid node record commit signingKey membership stubCid } } }`,
  posts: `($uris: [AtUri!]!) { posts(uris: $uris) { ${POST} } }`,
  thread: `($uri: AtUri!, $limit: Int) {
    thread(uri: $uri) { ancestors { ${POST} } }
    post(uri: $uri) { ${POST} replies(first: $limit) {
      edges { node { ${POST} replies(first: $limit) {
        edges { node { ${POST} } } pageInfo { hasNextPage } } } }
      pageInfo { hasNextPage } } } }`,
};

export const overGraphql: Door = {
  name: 'GraphQL',
  ask: (gateway, token, question) => ask(gateway, token, question),
  read(question, answer) {
    const { data, errors } = JSON.parse(answer.body);
    if (errors) throw answer;
    const { operation } = question;
    const found = data[operation];
    switch (operation) {
      case 'timeline':
      case 'authorFeed':
      case 'search':
      case 'replies':
        return seePage(question, found);
      case 'post':
        return found && see(found);
      case 'postProof':
        return data.post?.proof ?? null;
      case 'posts':
        return found.map((post: GraphqlPost | null) => post && see(post));
      case 'thread':
        return found && { ancestors: found.ancestors.map(see), ...seeReply(data.post) };
      case 'viewer':
      case 'node':
        return found && { ...found, boundaries: urisOf(found.boundaries) };
      case 'actor':
        return found && { ...found, boundaries: found.boundaries.map(seeShared) };
      case 'boundary':
        return found && seeBoundary(found);
      case 'boundaries':
        return found.map(seeBoundary);
    }
  },
};

/** GraphQL as a procedure, which PDSs pass on. */
export const overGraphqlProcedure: Door = {
  name: 'GraphQL as a procedure',
  ask: (gateway, token, question) => ask(gateway, token, question, GRAPHQL_PROCEDURE),
  read: overGraphql.read,
};

function ask(
  gateway: string,
  token: string | undefined,
  { operation, ...args }: Question,
  path?: string,
): Promise<Answer> {
  const query = `query ${DOCUMENTS[operation]}`;
  return graphql(gateway, token, query, variablesOf(operation, args), path);
}

function variablesOf(operation: Question['operation'], args: object): Record<string, unknown> {
  const { limit, cursor, direction, ...rest }: Record<string, unknown> = { ...args };
  if (operation === 'thread') return { ...rest, limit: limit ?? 10 };
  return direction === 'backward'
    ? { ...rest, last: limit, before: cursor }
    : { ...rest, first: limit, after: cursor };
}

interface GraphqlPost extends Omit<SeenPost, 'boundaries' | 'quote' | 'images'> {
  boundaries: { uri: string }[];
  images: { alt: string; aspectRatio: unknown; blob: object }[];
  quote?: GraphqlPost | null;
  replies?: GraphqlPage;
}

interface GraphqlPage {
  edges: { node: GraphqlPost }[];
  unavailable: SeenUnavailable[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string;
    endCursor: string;
  };
}

function see({ boundaries, quote, images, ...post }: GraphqlPost): SeenPost {
  return seePost({
    ...post,
    boundaries: urisOf(boundaries),
    images: images.map(({ blob, ...image }) => ({ ...blob, ...image })),
    quote: quote ? see(quote) : null,
  });
}

function seePage(
  { direction }: { direction?: 'forward' | 'backward' | undefined },
  { edges, unavailable, pageInfo }: GraphqlPage,
) {
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = pageInfo;
  const [hasMore, cursor] =
    direction === 'backward' ? [hasPreviousPage, startCursor] : [hasNextPage, endCursor];
  const posts = edges.map(({ node }) => see(node));
  return { posts, unavailable, cursor: hasMore ? cursor : undefined };
}

function seeReply({ replies, ...post }: GraphqlPost): SeenReply {
  return {
    post: see(post),
    replies: replies
      ? {
          posts: replies.edges.map(({ node }) => seeReply(node)),
          hasMore: replies.pageInfo.hasNextPage,
        }
      : null,
  };
}

function seeShared({ boundary, postCount }: { boundary: { uri: string }; postCount: number }) {
  return { boundary: boundary.uri, postCount };
}

function seeBoundary({ membership, ...boundary }: { membership: object }) {
  return { ...boundary, ...membership };
}

function urisOf(boundaries: { uri: string }[]): string[] {
  return boundaries.map(({ uri }) => uri);
}
