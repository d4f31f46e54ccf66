import { Frame, type MessageFrame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { StratosRouter } from '@stratos/schema/trpc';
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import { EventSource } from 'eventsource';
import { createClient } from 'graphql-sse';
import { WebSocket } from 'ws';

/** What a stream tells, whichever door it comes through. */
export interface Told {
  type: string;
  cursor: string | undefined;
  text?: string | undefined;
  uri?: string | undefined;
  boundary?: string | undefined;
  boundaries?: string[] | undefined;
  /** When it came, by `Date.now()`. */
  at: number;
}

/** One open stream, and all that it has told. */
export interface Follower extends Disposable {
  readonly told: Told[];
  /** Whether nothing more comes. */
  readonly isOver: boolean;
}

export interface Following {
  gateway: string;
  token: string;
  after?: string | undefined;
}

/** One way to follow posts. */
export interface Door {
  name: string;
  follow(following: Following): Follower;
}

/** What has been told so far, and how it is stopped. */
class Notes implements Follower {
  readonly told: Told[] = [];
  isOver = false;
  readonly #stop = new AbortController();

  /** Aborted when nobody wants to know more. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  take(told: Omit<Told, 'at'>): void {
    this.told.push({ ...told, at: Date.now() });
  }

  end(): void {
    this.isOver = true;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.end();
  }
}

const QUERY = `subscription ($after: String) { posts(after: $after) { __typename cursor
  ... on StreamOpened { boundaries { uri } } ... on PostShown { post { uri text } } ... on PostRemoved { uri }
  ... on BoundaryOpened { boundary { uri } } ... on BoundaryClosed { boundary { uri } } } }`;

/** By the names that the other doors give them. */
const TYPES: Record<string, string> = {
  StreamOpened: 'opened',
  PostShown: 'post',
  PostRemoved: 'removed',
  BoundaryOpened: 'boundaryOpened',
  BoundaryClosed: 'boundaryClosed',
  StreamReset: 'reset',
  StreamClosed: 'closed',
};

interface GraphqlEvent {
  __typename: string;
  cursor: string;
  post?: { uri: string; text: string };
  uri?: string;
  boundary?: { uri: string };
  boundaries?: { uri: string }[];
}

const overGraphql: Door = {
  name: 'GraphQL',
  follow({ gateway, token, after }) {
    const notes = new Notes();
    const client = createClient({
      url: `${gateway}/graphql`,
      headers: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    const stop = client.subscribe<{ posts: GraphqlEvent }>(
      { query: QUERY, variables: { after } },
      {
        next: ({ data }) => {
          if (!data) return;
          const { __typename, cursor, post, uri, boundary, boundaries } = data.posts;
          notes.take({
            type: TYPES[__typename] ?? __typename,
            cursor,
            text: post?.text,
            uri: post?.uri ?? uri,
            boundary: boundary?.uri,
            boundaries: boundaries?.map((open) => open.uri),
          });
        },
        error: () => notes.end(),
        complete: () => notes.end(),
      },
    );
    notes.signal.addEventListener('abort', stop);
    return notes;
  },
};

const overTrpc: Door = {
  name: 'tRPC',
  follow({ gateway, token, after }) {
    const notes = new Notes();
    const client = createTRPCClient<StratosRouter>({
      links: [
        httpSubscriptionLink({
          url: `${gateway}/trpc`,
          EventSource,
          eventSourceOptions: {
            fetch: (url: string | URL, init: RequestInit) =>
              fetch(url, {
                ...init,
                headers: { ...init.headers, authorization: `Bearer ${token}` },
              }),
          },
        }),
      ],
    });
    const subscription = client.livePosts.subscribe(
      { lastEventId: after },
      {
        signal: notes.signal,
        onData: ({ id, data }) => {
          const post = data.type === 'post' ? data.post : undefined;
          notes.take({
            type: data.type,
            cursor: id,
            text: post?.text,
            uri: data.type === 'removed' ? data.uri : post?.uri,
            boundary: 'boundary' in data ? data.boundary : undefined,
            boundaries: data.type === 'opened' ? data.boundaries : undefined,
          });
        },
        onConnectionStateChange: ({ state, error }) => {
          // Its client would try the same gateway again.
          if (state === 'connecting' && error) notes.end();
        },
        onError: () => notes.end(),
        onComplete: () => notes.end(),
      },
    );
    notes.signal.addEventListener('abort', () => subscription.unsubscribe());
    return notes;
  },
};

const { subscribePosts } = zone.stratos.feed;
const { $nsid } = subscribePosts;

const overXrpc: Door = {
  name: 'XRPC',
  follow({ gateway, token, after }) {
    const notes = new Notes();
    const url = new URL(`/xrpc/${$nsid}`, gateway.replace('http', 'ws'));
    if (after) url.searchParams.set('cursor', after);
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    socket.on('message', (data: Buffer) => {
      const frame = Frame.fromBytes(data);
      if (frame.isError()) notes.take({ type: 'closed', cursor: undefined });
      if (!frame.isMessage()) return;
      const type = frame.type?.slice(1) ?? '';
      const { cursor, post, uri, ...body } = bodyOf(frame);
      const text = post && String(post.record['text']);
      notes.take({ ...body, type, cursor, text, uri: post?.uri ?? uri });
    });
    socket.on('close', () => notes.end()).on('error', () => notes.end());
    notes.signal.addEventListener('abort', () => socket.terminate());
    return notes;
  },
};

interface XrpcBody {
  cursor: string;
  post?: zone.stratos.feed.defs.QuotedPost;
  uri?: string;
  boundary?: string;
  boundaries?: string[];
}

/** Throws when it is not as the lexicon has it. */
function bodyOf({ type, body }: MessageFrame): XrpcBody {
  const message = { ...Object(body), $type: `${$nsid}${type}` };
  return subscribePosts.$message.parse(message) as XrpcBody;
}

export const DOORS: readonly Door[] = [overGraphql, overTrpc, overXrpc];
