import type { StratosClient } from '@stratos/client-trpc';
import type { Post } from './posts.ts';

type Deliveries = ReturnType<StratosClient['livePosts']['subscribe']>;
type Delivery = Deliveries extends AsyncIterable<infer Each> ? Each : never;
export type LiveEvent = Delivery['data'];

export type Listener = (event: LiveEvent) => void;

/** Milliseconds until a stream that was cut is begun anew, and until a feed is read without one. */
const AGAIN_MS = 3_000;
const PATIENCE_MS = 4_000;

/** What happens to the posts of the person, as it happens: one stream for the whole page. */
export class Live {
  /** Whether the stream is open, not open yet, or was lost and is sought. */
  state = $state<'connecting' | 'open' | 'lost'>('connecting');
  /** Boundaries that can be read right now. */
  boundaries = $state.raw<readonly string[]>([]);
  /** Settles when the stream is open, or does not open in time. */
  readonly opened: Promise<void>;
  readonly #stratos: StratosClient;
  readonly #listeners = new Set<Listener>();
  #setOpened: () => void = () => {};
  #subscription: { unsubscribe(): void } | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(stratos: StratosClient) {
    this.#stratos = stratos;
    this.opened = new Promise((resolve) => {
      this.#setOpened = resolve;
    });
  }

  start(): void {
    setTimeout(this.#setOpened, PATIENCE_MS);
    this.#subscription = this.#stratos.livePosts.subscribe(
      {},
      {
        onData: ({ data }) => this.#take(data),
        onConnectionStateChange: ({ state }) => {
          if (state === 'connecting') this.state = this.state === 'open' ? 'lost' : this.state;
          if (state === 'pending') this.state = 'open';
        },
        onError: () => this.#again(),
        onComplete: () => this.#again(),
      },
    );
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#subscription?.unsubscribe();
    this.#listeners.clear();
  }

  /** Answers what ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells all who listen of something that is known here. */
  tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #take(event: LiveEvent): void {
    this.state = 'open';
    if (event.type === 'opened') this.boundaries = event.boundaries;
    if (event.type === 'boundaryOpened') {
      this.boundaries = [...new Set([...this.boundaries, event.boundary])];
    }
    if (event.type === 'boundaryClosed') {
      this.boundaries = this.boundaries.filter((each) => each !== event.boundary);
    }
    this.tell(event);
    if (event.type === 'post' && isQuoting(event.post)) this.#complete(event.post.uri);
    if (event.type === 'opened') this.#setOpened();
  }

  /** What a post quotes is for each viewer by themselves, so it is not told but asked for. */
  async #complete(uri: string): Promise<void> {
    const post = await this.#stratos.post.query({ uri, counts: true }).catch(() => null);
    if (post) this.tell({ type: 'post', post });
  }

  #again(): void {
    this.state = 'lost';
    this.#subscription?.unsubscribe();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.tell({ type: 'reset' });
      this.start();
    }, AGAIN_MS);
  }
}

function isQuoting({ record }: Post): boolean {
  const { $type: type } = Object(record['embed']);
  return typeof type === 'string' && type.startsWith('app.bsky.embed.record');
}
