import { setTimeout as sleep } from 'node:timers/promises';

/** What is asked for of every event. */
export const LIVE_EVENT = `
  __typename cursor
  ... on StreamOpened { boundaries { uri } }
  ... on PostShown { post { uri text boundaries { uri } } }
  ... on PostRemoved { postId uri node }
  ... on BoundaryOpened { boundary { uri } }
  ... on BoundaryClosed { boundary { uri } }
  ... on StreamClosed { reason }`;

export const LIVE_QUERY = `subscription ($boundary: Boundary, $after: String) {
  posts(boundary: $boundary, after: $after) { ${LIVE_EVENT} }
}`;

export interface SeenEvent {
  __typename: string;
  cursor: string;
  post?: { uri: string; text: string; boundaries: { uri: string }[] };
  postId?: string;
  uri?: string;
  boundary?: { uri: string };
  boundaries?: { uri: string }[];
  reason?: string;
}

export interface LiveClientOptions {
  boundary?: string;
  after?: string | undefined;
  query?: string;
  headers?: Record<string, string>;
}

/** Follows posts over GraphQL, by server-sent events. */
export class LiveClient implements AsyncDisposable {
  readonly events: SeenEvent[] = [];
  /** What was not an event of the subscription. */
  readonly errors: unknown[] = [];
  readonly status: number;
  /** Bytes that arrived, and when the last of them did. */
  bytes = 0;
  lastAt = 0;
  /** What came last, if it was no whole event. */
  rest = '';
  isComplete = false;
  isClosed = false;
  readonly #stop: AbortController;
  readonly #reading: Promise<void>;

  private constructor(response: Response, stop: AbortController) {
    this.status = response.status;
    this.#stop = stop;
    this.#reading = this.#read(response);
  }

  /** Resolves once the first event has come, or the answer was none. */
  static async open(
    gateway: string,
    token: string | undefined,
    { boundary, after, query = LIVE_QUERY, headers }: LiveClientOptions = {},
  ): Promise<LiveClient> {
    const stop = new AbortController();
    const response = await fetch(`${gateway}/graphql`, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables: { boundary, after } }),
      signal: stop.signal,
    });
    const client = new LiveClient(response, stop);
    await client.until(({ events, isClosed }) => events.length > 0 || isClosed);
    return client;
  }

  get cursor(): string | undefined {
    return this.events.at(-1)?.cursor;
  }

  /** Type and record key or boundary of each event, but for the first. */
  get story(): string[] {
    return this.events.slice(1).map(tell);
  }

  /** Texts of the posts that were shown. */
  get texts(): string[] {
    return this.events.flatMap(({ post }) => (post ? [post.text] : []));
  }

  /** Waits until something is so, at most ten seconds. */
  async until(isSo: (client: this) => boolean): Promise<void> {
    for (const end = Date.now() + 10_000; !isSo(this); await sleep(5)) {
      if (Date.now() > end)
        throw new Error(`it never was so: ${JSON.stringify([this.story, this.errors, this.rest])}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        this.bytes += chunk.length;
        this.lastAt = performance.now();
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // It was stopped, by this side or the other.
    }
    this.rest = text;
    this.isClosed = true;
  }

  #take(block: string): void {
    const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? []);
    const { event, data = '' } = Object.fromEntries(fields);
    if (event === 'complete') this.isComplete = true;
    if (event !== 'next') return;
    const result = JSON.parse(data);
    if (result.errors) this.errors.push(...result.errors);
    if (result.data?.posts) this.events.push(result.data.posts);
  }
}

function tell({ __typename, post, uri, boundary, reason }: SeenEvent): string {
  const about = (post?.uri ?? uri ?? boundary?.uri ?? reason)?.split('/').at(-1);
  return about ? `${__typename} ${about}` : __typename;
}
