import type { Socket } from 'node:net';
import type { ReadPool } from '@stratos/prisma';
import type { Boundary, Did } from '@stratos/protocol';
import type { LiveInput, Operations } from '@stratos/schema';
import type { PostHydrator } from '../hydration/posts.ts';
import type { Logger } from '../logger.ts';
import { ChangeFeed } from './change-feed.ts';
import { EventCursors } from './event-cursors.ts';
import { Leases } from './leases.ts';
import { type LiveLimits, StreamCount } from './limits.ts';
import type { LiveScope, ScopeChange } from './live-scope.ts';
import { LiveScopes } from './live-scopes.ts';
import { PostStream } from './post-stream.ts';
import { newestChange } from './read-changes.ts';
import { readPage } from './read-page.ts';
import { Replay } from './replay.ts';

/** Changes, and posts, that are taken at a time; after more of them everything is to be read anew. */
const AT_ONCE = { changes: 20_000, posts: 5_000 };
/** Milliseconds after which what was known of who may read what is not acted on any more. */
const STALE_AFTER_MS = 5_000;
const LEASES_EVERY_MS = 1_000;
/** Milliseconds for which every change is kept for certain. */
const KEPT_MS = 1_800_000;
/** Milliseconds in which streams say their last word. */
const DRAIN_MS = 2_000;

export interface LiveFeedOptions {
  /** Of its own: nothing else may keep it waiting. */
  reads: ReadPool;
  /** Where those read who open a stream. */
  requests: ReadPool;
  databaseUrl: string;
  hydrate: PostHydrator;
  /** 32 bytes, of which the keys of cursors are made. */
  cursorKey: Uint8Array;
  limits: LiveLimits;
  logger: Logger;
}

/** Who opens a stream, and how. */
export interface Opening extends LiveInput {
  viewer: Did;
  connection: Socket;
  /** When their session is over. */
  endsAt: Date;
  operations: () => Operations;
}

/**
 * Tells everybody who has a stream open at this gateway what happens to the posts that they may read.
 *
 * Each turn reads what has changed, with the posts that it is about, as of one moment; then the memberships of
 * those whom a change concerns; and only then anything is told. So nothing is decided by what somebody was
 * allowed before it was written.
 */
export class LiveFeed implements AsyncDisposable {
  readonly #options: LiveFeedOptions;
  readonly #feed: ChangeFeed;
  readonly #leases: Leases;
  readonly #scopes: LiveScopes;
  readonly #count: StreamCount;
  readonly #replay: Replay;
  readonly #streams = new Map<LiveScope, Set<PostStream>>();
  #position: bigint | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The same by the clock on the wall, which goes on while the machine sleeps. */
  #heardOn = 0;
  #leasesReadAt = Number.NEGATIVE_INFINITY;
  #isDraining = false;

  private constructor(options: LiveFeedOptions) {
    const { reads, requests, databaseUrl, hydrate, logger, limits } = options;
    this.#options = options;
    this.#leases = new Leases(reads);
    this.#scopes = new LiveScopes(reads, this.#leases, (scope, change) =>
      this.#onScopeChange(scope, change),
    );
    this.#count = new StreamCount(limits);
    this.#replay = new Replay({ reads: requests, hydrate, limits });
    this.#feed = new ChangeFeed({ databaseUrl, logger, turn: () => this.#turn() });
  }

  static async start(options: LiveFeedOptions): Promise<LiveFeed> {
    const live = new LiveFeed(options);
    await live.#feed.start();
    return live;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#count.total;
  }

  /** Throws `INVALID_CURSOR` or `TOO_MANY_STREAMS`. */
  async open(opening: Opening): Promise<PostStream> {
    const { viewer, boundary: within, after, connection, endsAt, operations } = opening;
    const cursors = new EventCursors(this.#options.cursorKey, { viewer, boundary: within });
    const resumed = after === undefined ? undefined : cursors.open(after);
    const release = new DisposableStack();
    try {
      release.defer(this.#count.take(viewer));
      const scope = await this.#scopes.take(viewer);
      release.defer(() => this.#scopes.letGo(scope));
      await this.#feed.between();
      const position = this.#position ?? 0n;
      const stream = release.use(
        new PostStream({
          scope,
          within,
          position: resumed ?? position,
          cursors,
          limits: this.#options.limits,
          connection,
          endsAt,
          operations,
          mayHandOut: () => this.#mayHandOut(),
          onClose: () => release.dispose(),
        }),
      );
      this.#add(stream);
      release.defer(() => this.#remove(stream));
      stream.notify({ type: 'opened', boundaries: openTo(scope, within) });
      if (connection.destroyed) stream[Symbol.dispose]();
      else if (this.#isDraining) stream.close('reconnect');
      else if (resumed !== undefined && resumed !== position) void this.#resume(stream, position);
      return stream;
    } catch (error) {
      release.dispose();
      throw error;
    }
  }

  /** Has everybody go elsewhere, and takes nobody new. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const streams of this.#streams.values()) {
      for (const stream of streams) stream.close('reconnect');
    }
    const end = performance.now() + DRAIN_MS;
    while (this.streams > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.#feed[Symbol.asyncDispose]();
  }

  async #turn(): Promise<void> {
    const { reads, hydrate } = this.#options;
    if (this.#position === undefined) {
      await this.#leases.read();
      this.#position = await newestChange(reads);
      this.#heard();
      return;
    }
    const scopes = this.#scopes;
    const isKept = Date.now() - this.#heardOn < KEPT_MS;
    const page =
      isKept &&
      (await readPage(
        { reads, hydrate },
        {
          after: this.#position,
          limits: AT_ONCE,
          boundaries: () => scopes.boundaries,
          isRead: (boundary) => scopes.isRead(boundary),
        },
      ));
    await this.#readLeases(!page || page.changes.some(({ kind }) => kind === 'node'));
    if (!page) {
      await this.#startAnew();
      return;
    }
    const concerned = page.changes.flatMap(({ kind, did }) =>
      did && (kind === 'membership' || kind === 'account') ? [did] : [],
    );
    await scopes.refresh(concerned);
    this.#position = page.changes.at(-1)?.seq ?? this.#position;
    for (const news of page.news) {
      for (const scope of scopes.readersOf(news.boundaries)) {
        for (const stream of this.#streams.get(scope) ?? []) stream.tell(news);
      }
    }
    this.#heard();
  }

  /** Goes on from now, when too much has happened to tell of it. */
  async #startAnew(): Promise<void> {
    const position = await newestChange(this.#options.reads);
    await this.#scopes.refresh([...this.#streams.keys()].map(({ viewer }) => viewer));
    this.#position = position;
    for (const streams of this.#streams.values()) {
      for (const stream of streams) stream.reset(position);
    }
    this.#heard();
  }

  async #readLeases(isNeeded: boolean): Promise<void> {
    if (!isNeeded && performance.now() - this.#leasesReadAt < LEASES_EVERY_MS) return;
    await this.#leases.read();
    this.#leasesReadAt = performance.now();
    this.#scopes.settle();
  }

  #heard(): void {
    const wasFresh = this.#isFresh();
    this.#heardAt = performance.now();
    this.#heardOn = Date.now();
    if (wasFresh) return;
    for (const streams of this.#streams.values()) {
      for (const stream of streams) stream.wake();
    }
  }

  #isFresh(): boolean {
    return performance.now() - this.#heardAt < STALE_AFTER_MS;
  }

  #mayHandOut(): boolean {
    if (this.#leases.hasEnded) this.#scopes.settle();
    return this.#isFresh();
  }

  async #resume(stream: PostStream, position: bigint): Promise<void> {
    stream.hold();
    try {
      await this.#replay.tell(stream, position);
    } catch (error) {
      this.#options.logger.error({ error }, 'a stream could not be resumed');
      stream.close('reconnect');
    }
  }

  #onScopeChange(scope: LiveScope, { opened, closed }: ScopeChange): void {
    for (const stream of this.#streams.get(scope) ?? []) {
      const isOf = (boundary: Boundary) => !stream.within || stream.within === boundary;
      const lost = closed.filter(isOf);
      for (const boundary of lost) stream.notify({ type: 'boundaryClosed', boundary });
      for (const boundary of opened.filter(isOf))
        stream.notify({ type: 'boundaryOpened', boundary });
      if (lost.length > 0) stream.lose();
      if (lost.length > 0 && !scope.isMemberOf(stream.within)) stream.close('accessLost');
    }
  }

  #add(stream: PostStream): void {
    const streams = this.#streams.get(stream.scope) ?? new Set();
    this.#streams.set(stream.scope, streams.add(stream));
  }

  #remove(stream: PostStream): void {
    const streams = this.#streams.get(stream.scope);
    streams?.delete(stream);
    if (streams?.size === 0) this.#streams.delete(stream.scope);
  }
}

/** The boundaries that a stream tells of. */
function openTo({ boundaries }: LiveScope, within: Boundary | undefined): Boundary[] {
  if (within) return boundaries.has(within) ? [within] : [];
  return [...boundaries];
}
