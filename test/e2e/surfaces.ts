import { createStratosClient } from '@stratos/client-trpc';
import { zone } from '@stratos/protocol/lexicons';
import { query } from '../network/src/index.ts';

/** What a feed says of a post, whichever door it came through. */
export interface SeenPost {
  uri: string;
  cid: string;
  author: string;
  text: string;
  boundaries: string[];
}

/** One way to ask the gateway. */
export interface Surface {
  name: string;
  /** The whole timeline, gathered page by page. */
  timeline(gateway: string, token: string, pageSize?: number): Promise<SeenPost[]>;
  post(gateway: string, token: string, uri: string): Promise<SeenPost | undefined>;
}

const POST_FIELDS = 'uri cid author { handle } text boundaries { uri }';

interface GraphqlPost {
  uri: string;
  cid: string;
  author: { handle: string };
  text: string;
  boundaries: { uri: string }[];
}

interface GraphqlFeed {
  edges: { node: GraphqlPost }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Asks GraphQL and returns the whole answer, status included. */
export async function graphql(gateway: string, token: string | undefined, body: unknown) {
  const response = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

async function graphqlData<T>(gateway: string, token: string, body: unknown): Promise<T> {
  const { status, text } = await graphql(gateway, token, body);
  const { data, errors } = JSON.parse(text);
  if (status !== 200 || errors) throw new Error(`GraphQL ${status}: ${text}`);
  return data;
}

const overGraphql: Surface = {
  name: 'GraphQL',
  async timeline(gateway, token, pageSize = 50) {
    const seen: SeenPost[] = [];
    const document = `query ($first: Int, $after: String) { timeline(first: $first, after: $after) {
      edges { node { ${POST_FIELDS} } } pageInfo { hasNextPage endCursor } } }`;
    let after: string | null = null;
    for (;;) {
      const { timeline }: { timeline: GraphqlFeed } = await graphqlData(gateway, token, {
        query: document,
        variables: { first: pageSize, after },
      });
      seen.push(...timeline.edges.map(({ node }) => fromGraphql(node)));
      if (!timeline.pageInfo.hasNextPage) return seen;
      after = timeline.pageInfo.endCursor;
    }
  },
  async post(gateway, token, uri) {
    const { post } = await graphqlData<{ post: GraphqlPost | null }>(gateway, token, {
      query: `query ($uri: AtUri!) { post(uri: $uri) { ${POST_FIELDS} } }`,
      variables: { uri },
    });
    return post ? fromGraphql(post) : undefined;
  },
};

const overTrpc: Surface = {
  name: 'tRPC',
  async timeline(gateway, token, pageSize = 50) {
    const client = createStratosClient({ gateway, session: token });
    const seen: SeenPost[] = [];
    let cursor: string | null = null;
    do {
      const page = await client.timeline.query({ limit: pageSize, ...(cursor && { cursor }) });
      seen.push(...page.posts.map((post) => ({ ...pick(post), author: post.author.handle })));
      cursor = page.cursor;
    } while (cursor);
    return seen;
  },
  async post(gateway, token, uri) {
    const post = await createStratosClient({ gateway, session: token }).post.query({ uri });
    return post ? { ...pick(post), author: post.author.handle } : undefined;
  },
};

const overXrpc: Surface = {
  name: 'XRPC',
  async timeline(gateway, token, pageSize = 50) {
    const seen: SeenPost[] = [];
    let cursor: string | undefined;
    do {
      const page: zone.stratos.feed.getTimeline.$OutputBody = await query(
        gateway,
        zone.stratos.feed.getTimeline.$nsid,
        {
          authorization: `Bearer ${token}`,
          params: { limit: String(pageSize), ...(cursor && { cursor }) },
        },
      );
      seen.push(...page.feed.map(({ post }) => fromXrpc(post)));
      cursor = page.cursor;
    } while (cursor);
    return seen;
  },
  async post(gateway, token, uri) {
    const url = new URL(`/xrpc/${zone.stratos.feed.getPost.$nsid}`, gateway);
    url.searchParams.set('uri', uri);
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (response.status === 404) return undefined;
    const { post } = (await response.json()) as zone.stratos.feed.getPost.$OutputBody;
    return fromXrpc(post);
  },
};

export const SURFACES: readonly Surface[] = [overGraphql, overTrpc, overXrpc];

function pick({ uri, cid, text, boundaries }: Omit<SeenPost, 'author'>) {
  return { uri, cid, text, boundaries: [...boundaries].sort() };
}

function fromGraphql(post: GraphqlPost): SeenPost {
  const boundaries = post.boundaries.map(({ uri }) => uri);
  return { ...pick({ ...post, boundaries }), author: post.author.handle };
}

function fromXrpc(post: zone.stratos.feed.defs.PostView): SeenPost {
  const text = String(post.record['text']);
  return { ...pick({ ...post, text }), author: post.author.handle };
}
