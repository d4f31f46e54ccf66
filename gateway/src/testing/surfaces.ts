import { zone } from '@stratos/protocol/lexicons';

/** A whole answer, with what may differ from one request to the next left out. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const VOLATILE = new Set(['date', 'connection', 'keep-alive']);

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const headers = [...response.headers].filter(([name]) => !VOLATILE.has(name));
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    body: await response.text(),
  };
}

function authorization(token: string | undefined): Record<string, string> {
  return token ? { authorization: token.includes(' ') ? token : `Bearer ${token}` } : {};
}

export function graphql(
  gateway: string,
  token: string | undefined,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Answer> {
  return send(`${gateway}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(token) },
    body: JSON.stringify({ query, variables }),
  });
}

export function trpc(
  gateway: string,
  token: string | undefined,
  procedure: string,
  input?: unknown,
): Promise<Answer> {
  const query = input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  return send(`${gateway}/trpc/${procedure}${query}`, { headers: authorization(token) });
}

export function xrpc(
  gateway: string,
  token: string | undefined,
  nsid: string,
  params: Record<string, string> = {},
): Promise<Answer> {
  const query = new URLSearchParams(params);
  return send(`${gateway}/xrpc/${nsid}?${query}`, { headers: authorization(token) });
}

/** What all three surfaces say of a post. */
export interface SeenPost {
  uri: string;
  cid: string;
  author: { did: string; handle: string };
  record: unknown;
  indexedAt: string;
  boundaries: string[];
}

export interface SeenPage {
  posts: SeenPost[];
  cursor: string | undefined;
}

export interface FeedArguments {
  actor?: string;
  boundary?: string;
  limit?: number;
  cursor?: string | undefined;
}

/** One way to ask. */
export interface Surface {
  name: string;
  /** The timeline, or the feed of `actor`. Throws the answer unless it is one. */
  feed(gateway: string, token: string, args: FeedArguments): Promise<SeenPage>;
  post(gateway: string, token: string, uri: string): Promise<SeenPost | null>;
  /** The whole answer to the question for a post. */
  rawPost(gateway: string, token: string | undefined, uri: string): Promise<Answer>;
}

const POST = 'uri cid author { did handle } record indexedAt boundaries { uri }';
const POST_QUERY = `query ($uri: AtUri!) { post(uri: $uri) { ${POST} } }`;
const { getAuthorFeed, getPost, getTimeline } = zone.stratos.feed;

export const SURFACES: Surface[] = [
  {
    name: 'GraphQL',
    async feed(gateway, token, { actor, boundary, limit, cursor }) {
      const field = actor ? 'authorFeed' : 'timeline';
      const page = `edges { node { ${POST} } } pageInfo { hasNextPage endCursor }`;
      const query = actor
        ? `query ($actor: String!, $boundary: Boundary, $limit: Int, $cursor: String) {
            authorFeed(actor: $actor, boundary: $boundary, first: $limit, after: $cursor) { ${page} } }`
        : `query ($boundary: Boundary, $limit: Int, $cursor: String) {
            timeline(boundary: $boundary, first: $limit, after: $cursor) { ${page} } }`;
      const answer = await graphql(gateway, token, query, { actor, boundary, limit, cursor });
      const { data, errors } = JSON.parse(answer.body);
      if (errors) throw answer;
      const { edges, pageInfo } = data[field];
      return {
        posts: edges.map((edge: { node: GraphqlPost }) => fromGraphql(edge.node)),
        cursor: pageInfo.hasNextPage ? pageInfo.endCursor : undefined,
      };
    },
    async post(gateway, token, uri) {
      const { body } = await graphql(gateway, token, POST_QUERY, { uri });
      const { post } = JSON.parse(body).data;
      return post && fromGraphql(post);
    },
    rawPost: (gateway, token, uri) => graphql(gateway, token, POST_QUERY, { uri }),
  },
  {
    name: 'tRPC',
    async feed(gateway, token, args) {
      const answer = await trpc(gateway, token, args.actor ? 'authorFeed' : 'timeline', args);
      if (answer.status !== 200) throw answer;
      const { posts, cursor } = JSON.parse(answer.body).result.data;
      return { posts: posts.map(pick), cursor: cursor ?? undefined };
    },
    async post(gateway, token, uri) {
      const post = JSON.parse((await trpc(gateway, token, 'post', { uri })).body).result.data;
      return post && pick(post);
    },
    rawPost: (gateway, token, uri) => trpc(gateway, token, 'post', { uri }),
  },
  {
    name: 'XRPC',
    async feed(gateway, token, { limit, ...args }) {
      const nsid = (args.actor ? getAuthorFeed : getTimeline).$nsid;
      const params = Object.entries({ ...args, limit: limit?.toString() });
      const given = params.filter((param): param is [string, string] => param[1] !== undefined);
      const answer = await xrpc(gateway, token, nsid, Object.fromEntries(given));
      if (answer.status !== 200) throw answer;
      const { feed, cursor } = JSON.parse(answer.body);
      return { posts: feed.map((item: { post: SeenPost }) => pick(item.post)), cursor };
    },
    async post(gateway, token, uri) {
      const answer = await xrpc(gateway, token, getPost.$nsid, { uri });
      return answer.status === 404 ? null : pick(JSON.parse(answer.body).post);
    },
    rawPost: (gateway, token, uri) => xrpc(gateway, token, getPost.$nsid, { uri }),
  },
];

interface GraphqlPost extends Omit<SeenPost, 'boundaries'> {
  boundaries: { uri: string }[];
}

function fromGraphql({ boundaries, ...post }: GraphqlPost): SeenPost {
  return pick({ ...post, boundaries: boundaries.map(({ uri }) => uri) });
}

function pick({ uri, cid, author, record, indexedAt, boundaries }: SeenPost): SeenPost {
  return { uri, cid, author, record, indexedAt, boundaries };
}
