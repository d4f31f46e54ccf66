import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAll, encode } from '@atproto/lex-cbor';
import type { LexMap } from '@atproto/lex-data';
import { type RawData, WebSocket } from 'ws';

const PATIENCE_MS = 20_000;

/** One message of an event stream: two DAG-CBOR objects, one after the other. */
export interface Frame {
  header: LexMap;
  /** Of the first object, exactly as they came. */
  headerBytes: Uint8Array;
  body: LexMap;
}

/** A WebSocket to a stream of the node, and what has come by it. */
export class Stream implements AsyncDisposable {
  readonly frames: Frame[] = [];
  /** Set when the node refused to open it, by plain HTTP. */
  refusedWith: number | undefined;
  /** Close code, once the node has closed it. */
  closedWith: number | undefined;
  readonly #socket: WebSocket;

  constructor(url: URL, authorization?: string) {
    this.#socket = new WebSocket(url, authorization ? { headers: { authorization } } : {});
    this.#socket.on('message', (data: RawData) => this.frames.push(parseFrame(data as Buffer)));
    this.#socket.on('unexpected-response', (request, response) => {
      this.refusedWith = response.statusCode;
      this.closedWith = 0;
      request.destroy();
    });
    this.#socket.on('close', (code) => {
      this.closedWith ??= code;
    });
    this.#socket.on('error', () => undefined);
  }

  get isClosed(): boolean {
    return this.closedWith !== undefined;
  }

  /** The bodies of one type of message. */
  of<Body = LexMap>(type: string): Body[] {
    return this.frames.filter(({ header }) => header['t'] === type).map(({ body }) => body as Body);
  }

  /** The name of the error that the node sent, if it did. */
  get error(): string | undefined {
    const frame = this.frames.find(({ header }) => header['op'] === -1);
    return frame && String(frame.body['error']);
  }

  /** Waits until something is so. Throws when it never is. */
  async until(what: string, isSo: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!isSo()) {
      if (Date.now() > deadline || this.isClosed) {
        const seen = this.frames.map(({ header }) => header['t'] ?? header['op']).slice(-10);
        const end = this.isClosed ? `the stream ended with ${this.#ending}` : 'it is open';
        throw new Error(`${what}: never came; ${end}; last messages: ${seen.join(' ') || 'none'}`);
      }
      await sleep(10);
    }
  }

  /** Waits until the node closes it; the name of its error, or the HTTP status that it refused with. */
  async end(): Promise<string> {
    await this.until('the end of the stream', () => this.isClosed);
    return this.#ending;
  }

  get #ending(): string {
    return this.error ?? String(this.refusedWith ?? this.closedWith);
  }

  send(data: Uint8Array | string): void {
    this.#socket.send(data);
  }

  async opened(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) await once(this.#socket, 'open');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}

function parseFrame(data: Buffer): Frame {
  const [header, body, ...more] = [...decodeAll(data)] as LexMap[];
  if (!header || !body || more.length > 0) throw new Error('a frame is not two objects');
  return { header, headerBytes: data.subarray(0, encode(header).length), body };
}
