import { VIEWERS } from '@stratos/prisma/generated-database';
import type { Did } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Prepared } from '../load.ts';
import type { GatewaySessions } from './gateway-sessions.ts';
import { PUBLIC_URL } from './measured-gateway.ts';

/** Posts of a page. */
export const PAGE = 50;

const QUERY = `query ($after: String) {
  timeline(first: ${PAGE}, after: $after) {
    edges { node { uri author { did handle } text createdAt boundaries { uri name } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A way to ask for a page of the home feed. */
export interface Feed {
  name: string;
  /** Requests a second that are asked for. */
  bar: number;
  method: 'GET' | 'POST';
  path(cursor: string | undefined): string;
  body?(cursor: string | undefined): string;
  /** Where the next page begins. */
  cursor(answer: string): string | undefined;
}

export const FEEDS: readonly Feed[] = [
  {
    name: 'GraphQL',
    bar: 800,
    method: 'POST',
    path: () => '/graphql',
    body: (after) => JSON.stringify({ query: QUERY, variables: { after } }),
    cursor: (answer) => JSON.parse(answer).data.timeline.pageInfo.endCursor,
  },
  {
    name: 'tRPC',
    bar: 1_000,
    method: 'GET',
    path: (cursor) =>
      `/trpc/timeline?input=${encodeURIComponent(JSON.stringify({ limit: PAGE, cursor }))}`,
    cursor: (answer) => JSON.parse(answer).result.data.cursor,
  },
  {
    name: 'XRPC',
    bar: 800,
    method: 'GET',
    path: (cursor) =>
      `/xrpc/${zone.stratos.feed.getTimeline.$nsid}?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ''}`,
    cursor: (answer) => JSON.parse(answer).cursor,
  },
];

/** A page of somebody's home feed. */
interface Page {
  viewer: Did;
  cursor: string | undefined;
}

/** Requests for pages of the home feeds of all viewers, in turn. */
export class FeedRequests {
  readonly #feed: Feed;
  readonly #sessions: GatewaySessions;
  readonly #pages: readonly Page[];
  #next = 0;

  private constructor(feed: Feed, sessions: GatewaySessions, pages: readonly Page[]) {
    this.#feed = feed;
    this.#sessions = sessions;
    this.#pages = pages;
  }

  /** Walks each home feed so many pages deep, to know where they begin. */
  static async walk(
    feed: Feed,
    sessions: GatewaySessions,
    { base, depth }: { base: URL; depth: number },
  ): Promise<FeedRequests> {
    await sessions.refresh();
    const pages: Page[][] = [];
    for (const { did: viewer } of VIEWERS) {
      const own: Page[] = [{ viewer, cursor: undefined }];
      for (let last = own.at(-1); last && own.length < depth; last = own.at(-1)) {
        const { path, ...init } = await prepare(feed, sessions, last);
        const method = feed.method;
        const response = await fetch(new URL(path, base), { method, ...init });
        const answer = await response.text();
        if (!response.ok) throw new Error(`${feed.name}: ${response.status} ${answer}`);
        const cursor = feed.cursor(answer);
        if (!cursor) break;
        own.push({ viewer, cursor });
      }
      pages.push(own);
    }
    const rounds = Array.from({ length: depth }, (_, place) =>
      pages.flatMap((own) => own[place] ?? []),
    );
    return new FeedRequests(feed, sessions, rounds.flat());
  }

  prepare(): Promise<Prepared> {
    const page = this.#pages[this.#next++ % this.#pages.length];
    if (!page) throw new Error('there is no page');
    return prepare(this.#feed, this.#sessions, page);
  }
}

async function prepare(
  { method, path, body }: Feed,
  sessions: GatewaySessions,
  { viewer, cursor }: Page,
): Promise<Prepared> {
  const address = path(cursor);
  const [plain = ''] = address.split('?');
  const headers = await sessions.headers(viewer, method, `${PUBLIC_URL}${plain}`);
  if (!body) return { path: address, headers };
  headers['content-type'] = 'application/json';
  return { path: address, headers, body: body(cursor) };
}
