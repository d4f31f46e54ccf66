import type { Socket } from 'node:net';
import type { Boundary } from '@stratos/protocol';
import type { CloseReason, LiveDelivery, LiveStream, Operations, Visible } from '@stratos/schema';
import { type Notice, revealDelivery, revealNotice } from '../access/reveal-event.ts';
import type { EventCursors } from './event-cursors.ts';
import type { LiveLimits } from './limits.ts';
import type { LiveScope } from './live-scope.ts';
import { type News, NoticeNews } from './news.ts';
import { SharedEvent } from './shared-event.ts';

/** Events that are handed out at a time. */
const AT_ONCE = 100;

export interface PostStreamOptions {
  scope: LiveScope;
  /** Only posts of this boundary. */
  within: Boundary | undefined;
  /** Where it begins. */
  position: bigint;
  cursors: EventCursors;
  limits: LiveLimits;
  /** What carries it to its reader. */
  connection: Socket;
  /** When the session of its reader is over. */
  endsAt: Date;
  /** Operations of its viewer that remember nothing. */
  operations: () => Operations;
  /** Brings what is open up to date. False while that cannot be relied on. */
  mayHandOut: () => boolean;
  onClose: (stream: PostStream) => void;
}

/** An event on its way to one stream. */
export interface Handed {
  cursor: string;
  event: SharedEvent;
}

/** What one subscription is to be told, and has not taken yet. */
export class PostStream implements LiveStream {
  readonly scope: LiveScope;
  readonly within: Boundary | undefined;
  readonly operations: () => Operations;
  readonly #options: PostStreamOptions;
  readonly #sessionEnd: NodeJS.Timeout;
  #connection: Socket;
  #queue: News[] = [];
  #queuedBytes = 0;
  #position: bigint;
  #handed: bigint;
  /** What is live waits here while what came before is told. */
  #held: News[] | undefined;
  #ending: CloseReason | undefined;
  #isOver = false;
  #isDisposed = false;
  #cut: NodeJS.Timeout | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #disconnected = () => this[Symbol.dispose]();

  constructor(options: PostStreamOptions) {
    this.#options = options;
    this.scope = options.scope;
    this.within = options.within;
    this.operations = options.operations;
    this.#position = options.position;
    this.#handed = options.position;
    this.#connection = options.connection;
    this.#connection.once('close', this.#disconnected);
    const left = options.endsAt.getTime() - Date.now();
    this.#sessionEnd = setTimeout(() => this.close('sessionExpired'), left).unref();
  }

  get limits(): LiveLimits {
    return this.#options.limits;
  }

  /** The newest change that it has been told of. */
  get position(): bigint {
    return this.#position;
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#ending === undefined;
  }

  /** What its last word is, if that is known. */
  get ending(): CloseReason | undefined {
    return this.#ending;
  }

  /** Has it carried by another connection, at the end of which it is disposed of by whoever has that. */
  carryBy(connection: Socket): void {
    this.#connection.off('close', this.#disconnected);
    this.#connection = connection;
  }

  /** Queues something that happened, unless it is told already. */
  tell(news: News): void {
    if (this.#held) this.#hold(this.#held, news);
    else this.replay(news);
  }

  /** Keeps what happens from now on until what happened before is told. */
  hold(): void {
    this.#held = [];
  }

  /** What happened before is told up to `position`. */
  release(position: bigint): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.advance(position);
    for (const news of held) this.tell(news);
  }

  /** Queues something that happened before what is held. */
  replay(news: News): void {
    if (!this.isOpen || news.seq <= this.#position) return;
    this.#position = news.seq;
    this.#push(news);
  }

  /** What happened up to there is told, or is not for this stream. */
  advance(position: bigint): void {
    if (position > this.#position) this.#position = position;
  }

  /** What happened up to there cannot be told. */
  reset(position: bigint): void {
    if (!this.isOpen) return;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#position = position;
    this.notify({ type: 'reset' });
    this.release(position);
  }

  /** Queues what is for this stream alone. */
  notify(notice: Notice): void {
    if (this.isOpen) this.#push(new NoticeNews(this.#position, notice));
  }

  /** A boundary is not to be read any more: what is still on its way must not arrive. */
  lose(): void {
    if (this.#connection.writableLength > 0) this.#connection.destroy();
  }

  /** Ends it with a last word, for which its reader has a moment. */
  close(reason: CloseReason): void {
    if (!this.isOpen) return;
    this.#ending = reason;
    this.#queue = [];
    this.#held = undefined;
    const cut = () => this.#connection.destroy();
    this.#cut = setTimeout(cut, this.#options.limits.lingerMs).unref();
    this.wake();
  }

  /** Has its reader look again. */
  wake(): void {
    this.#wake.resolve();
  }

  /**
   * The next events, at most `limit`, once there are any; undefined after the last. What is in them is
   * decided at this moment, so they are to be sent at once.
   */
  async take(limit = AT_ONCE): Promise<Handed[] | undefined> {
    for (;;) {
      if (this.#isOver) return undefined;
      if (this.#ending !== undefined) return [this.#lastWord(this.#ending)];
      this.#wake = Promise.withResolvers();
      const mayHandOut = this.#options.mayHandOut();
      const handed = mayHandOut ? this.#drain(limit) : [];
      if (handed.length > 0) return handed;
      if (!mayHandOut || this.#queue.length === 0) await this.#wake.promise;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Visible<LiveDelivery>, void> {
    for (let handed = await this.take(1); handed; handed = await this.take(1)) {
      for (const { cursor, event } of handed) yield revealDelivery(cursor, event.event);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#isOver = true;
    this.#queue = [];
    this.#held = undefined;
    clearTimeout(this.#sessionEnd);
    clearTimeout(this.#cut);
    this.#connection.off('close', this.#disconnected);
    this.wake();
    this.#options.onClose(this);
  }

  #hold(held: News[], news: News): void {
    if (!this.isOpen) return;
    held.push(news);
    if (held.length > this.#options.limits.queuedEvents) this.close('tooSlow');
  }

  #push(news: News): void {
    const { queuedEvents, queuedBytes } = this.#options.limits;
    this.#queue.push(news);
    this.#queuedBytes += news.size;
    if (this.#queue.length > queuedEvents || this.#queuedBytes > queuedBytes) this.close('tooSlow');
    else this.wake();
  }

  #drain(limit: number): Handed[] {
    const handed: Handed[] = [];
    for (const news of this.#queue.splice(0, limit)) {
      this.#queuedBytes -= news.size;
      const event = news.eventFor(this);
      if (event) handed.push({ cursor: this.#cursorOf(news.seq), event });
    }
    return handed;
  }

  #lastWord(reason: CloseReason): Handed {
    this.#isOver = true;
    const event = new SharedEvent(revealNotice({ type: 'closed', reason }));
    return { cursor: this.#cursorOf(this.#handed), event };
  }

  #cursorOf(seq: bigint): string {
    this.#handed = seq;
    return this.#options.cursors.seal(seq);
  }
}
