import type { ServerResponse } from 'node:http';
import { LIVE_LIMITS } from './limits.ts';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Nothing follows such an answer, and who drains would wait for it.
  Connection: 'close',
  // For proxies that would wait for more.
  'X-Accel-Buffering': 'no',
};
/** Of which no client takes notice. */
const COMMENT = ':\n\n';

export interface EventSourceOptions {
  /** Milliseconds between signs of life. */
  heartbeatMs?: number;
  /** A sign of life: a comment unless given. */
  heartbeat?: string;
}

/** An answer that is a stream of server-sent events, with signs of life while nothing happens. */
export class EventSource {
  readonly #res: ServerResponse;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(
    res: ServerResponse,
    { heartbeatMs = LIVE_LIMITS.heartbeatMs, heartbeat = COMMENT }: EventSourceOptions = {},
  ) {
    this.#res = res.writeHead(200, HEADERS);
    res.write(COMMENT);
    this.#heartbeat = setInterval(() => {
      if (!res.writableNeedDrain) res.write(heartbeat);
    }, heartbeatMs).unref();
    res.once('close', () => clearInterval(this.#heartbeat));
  }

  /** Resolves when there is room for more, or nobody there to take it. */
  async send(parts: readonly Uint8Array[]): Promise<void> {
    const res = this.#res;
    if (res.destroyed || res.write(Buffer.concat(parts))) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    res.once('drain', resolve).once('close', resolve);
    await promise;
    res.off('drain', resolve).off('close', resolve);
  }

  /** Resolves when all is sent, or nobody there to take it. */
  async end(): Promise<void> {
    clearInterval(this.#heartbeat);
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#res.destroyed) return;
    this.#res.once('close', resolve).end(resolve);
    await promise;
  }
}
