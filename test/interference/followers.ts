import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAll } from '@atproto/lex-cbor';
import { authorization } from '@stratos/gateway/testing/doors';
import { zone } from '@stratos/protocol/lexicons';
import { WebSocket } from 'ws';
import { InterferenceError } from './compare.ts';

const { $nsid } = zone.stratos.feed.subscribePosts;
const PATIENCE_MS = 120_000;

export interface Following {
  token: string;
  boundary: string | undefined;
  after?: string | undefined;
}

/** What came, and what it says of posts and boundaries. */
export interface Told {
  raw: string;
  cursor: string | undefined;
  /** Undefined for what is no event. */
  seen: SeenEvent | undefined;
}

export type SeenEvent = readonly [type: string, ...what: unknown[]];

/** Somebody who listens to a stream. */
export class Follower implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly #stop: () => void;
  #isOver = false;

  constructor(listen: (tell: (told: Told) => void, end: () => void) => () => void) {
    this.#stop = listen(
      (told) => this.told.push(told),
      () => {
        this.#isOver = true;
      },
    );
  }

  get seen(): SeenEvent[] {
    return this.told.flatMap(({ seen }) => (seen ? [seen] : []));
  }

  /** All that came, with the length of each cursor in its place. */
  get answers(): string[] {
    return this.told.map(({ raw, cursor }) =>
      cursor ? raw.replaceAll(cursor, `<cursor of ${cursor.length}>`) : raw,
    );
  }

  /** Waits until something came, or it is over. */
  async until(hasCome: (seen: readonly SeenEvent[]) => boolean): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !hasCome(this.seen); await sleep(2)) {
      if (this.#isOver) return;
      if (Date.now() > end)
        throw new InterferenceError(`it never came: ${this.answers.join('\n')}`);
    }
  }

  async over(): Promise<void> {
    await this.until(() => this.#isOver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.over();
  }
}

export interface LiveDoor {
  name: string;
  follow(gateway: string, following: Following): Follower;
}

const EVENT = `__typename cursor
  ... on StreamOpened { boundaries { uri } }
  ... on PostRemoved { postId uri node }
  ... on BoundaryOpened { boundary { uri } }
  ... on BoundaryClosed { boundary { uri } }
  ... on StreamClosed { reason }
  ... on PostShown { post { uri cid text author { did handle } record boundaries { uri }`;

/** @param more - of each post, besides what is the same for all who read it */
function overGraphql(name: string, more: string): LiveDoor {
  const query = `subscription ($boundary: Boundary, $after: String) {
    posts(boundary: $boundary, after: $after) { ${EVENT} ${more} } } } }`;
  return {
    name,
    follow: (gateway, { token, boundary, after }) =>
      bySse(`${gateway}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization(token) },
        body: JSON.stringify({ query, variables: { boundary, after } }),
      }),
  };
}

const overTrpc: LiveDoor = {
  name: 'tRPC',
  follow: (gateway, { token, boundary, after: lastEventId }) => {
    const input = encodeURIComponent(JSON.stringify({ boundary, lastEventId }));
    return bySse(`${gateway}/trpc/livePosts?input=${input}`, { headers: authorization(token) });
  },
};

const overXrpc: LiveDoor = {
  name: 'XRPC',
  follow: (gateway, { token, boundary, after }) =>
    new Follower((tell, end) => {
      const given = { ...(boundary && { boundary }), ...(after && { cursor: after }) };
      const url = `${gateway.replace('http', 'ws')}/xrpc/${$nsid}?${new URLSearchParams(given)}`;
      const socket = new WebSocket(url, { headers: authorization(token) });
      socket.on('message', (data: Buffer) => {
        const [header, body] = [...decodeAll(data)] as Record<string, unknown>[];
        const type = typeof header?.['t'] === 'string' ? header['t'].slice(1) : 'error';
        tell({ raw: data.toString('latin1'), ...see({ type, ...body }) });
      });
      socket.on('error', end).on('close', end);
      return () => socket.terminate();
    }),
};

export const LIVE_DOORS: readonly LiveDoor[] = [
  overGraphql('GraphQL', ''),
  overGraphql('GraphQL, of each viewer', 'replyCount quote { uri text }'),
  overTrpc,
  overXrpc,
];

function bySse(url: string, { headers, ...init }: RequestInit): Follower {
  return new Follower((tell, end) => {
    const stop = new AbortController();
    const listen = async () => {
      const accept = { accept: 'text/event-stream' };
      const response = await fetch(url, {
        ...init,
        headers: { ...Object(headers), ...accept },
        signal: stop.signal,
      });
      const told = [...response.headers].filter(([name]) => name !== 'date');
      tell({ raw: JSON.stringify([response.status, told]), cursor: undefined, seen: undefined });
      let text = '';
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const raw of blocks) if (!isSignOfLife(raw)) tell({ raw, ...seeBlock(raw) });
      }
      if (text !== '') tell({ raw: text, cursor: undefined, seen: undefined });
    };
    // It ends with an error when it is stopped.
    listen().then(end, end);
    return () => stop.abort();
  });
}

function isSignOfLife(block: string): boolean {
  return block.startsWith(':') || block.startsWith('event: ping');
}

function seeBlock(block: string): Pick<Told, 'cursor' | 'seen'> {
  const [, data] = /^data: ?(.+)$/m.exec(block) ?? [];
  const [, id] = /^id: ?(.+)$/m.exec(block) ?? [];
  const value = data ? JSON.parse(data) : {};
  return see(value.data?.posts ?? { cursor: id, ...value });
}

const NAMES: Record<string, string> = {
  StreamOpened: 'opened',
  PostShown: 'post',
  PostRemoved: 'removed',
  BoundaryOpened: 'boundaryOpened',
  BoundaryClosed: 'boundaryClosed',
  StreamReset: 'reset',
  StreamClosed: 'closed',
};

/** What an event says, whichever way it came. */
function see(event: Record<string, unknown>): Pick<Told, 'cursor' | 'seen'> {
  const { __typename, cursor: given, post, uri, node, boundary } = event;
  const cursor = typeof given === 'string' ? given : undefined;
  const type = NAMES[String(__typename)] ?? event['type'];
  if (typeof type !== 'string') return { cursor, seen: undefined };
  if (type === 'removed') return { cursor, seen: [type, uri, node] };
  if (type === 'post') {
    const { text, record, boundaries } = Object(post);
    return { cursor, seen: [type, text ?? record.text, boundaries.map(uriOf)] };
  }
  return { cursor, seen: boundary ? [type, uriOf(boundary)] : [type] };
}

function uriOf(boundary: unknown): unknown {
  return Object(boundary).uri ?? boundary;
}
