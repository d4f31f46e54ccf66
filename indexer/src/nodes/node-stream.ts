import { isIP } from 'node:net';
import { Frame } from '@atproto/xrpc-server';
import { unicastLookup } from '@atproto-labs/fetch-node';
import type { Did } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { WebSocket } from 'ws';
import type { NodeEvent } from '../applying/node-event.ts';
import { Arrivals, type Room } from './arrivals.ts';

const MAX_FRAME_BYTES = 8 * 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** What is read of a node before its turn, unless there is less room. */
export const READ_AHEAD: Room = { count: 2_000, bytes: 16 * 1024 * 1024 };
/** Three of the longest intervals that a heartbeat may have. */
export const STALL_MS = 45_000;

export interface NodeStreamOptions {
  endpoint: string;
  /** Whose commits are wanted, where it is not the stream of all. */
  did?: Did;
  /** Without it, all that the node has kept follows. */
  cursor?: number | undefined;
  /** Service-auth JWT for this one connection. */
  token: string;
  devMode: boolean;
  stallMs?: number;
  /** What may be read of the node before its turn. */
  room?: Room;
  onOpen?: () => void;
  /** Called with each event as soon as it is there, before its turn. */
  onArrival?: (event: NodeEvent) => void;
  /** Called when nothing more is read for now. */
  onFull?: () => void;
  signal: AbortSignal;
}

/** The node refuses the stream or ends it with a word of its own. */
export class NodeStreamError extends Error {
  override name = 'NodeStreamError';
  /** The node's own word for why, if it gave one. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** The node does not open the stream. */
export class UnopenedStreamError extends NodeStreamError {
  override name = 'UnopenedStreamError';
  /** HTTP status of its answer, if there is one. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** What the node sends is no stream of events. */
export class GarbledStreamError extends NodeStreamError {
  override name = 'GarbledStreamError';
}

/**
 * The events of a node from `cursor` on, in order. Reads ahead as far as there is room, and no further
 * until something is taken.
 */
export class NodeStream implements Disposable {
  readonly #socket: WebSocket;
  readonly #events: Arrivals<NodeEvent>;
  readonly #signal: AbortSignal;
  readonly #stalled: NodeJS.Timeout;
  #hasOpened = false;
  readonly #abort = () => {
    this.#events.clear();
    this.#end();
  };

  constructor(options: NodeStreamOptions) {
    const { signal, stallMs = STALL_MS, room = READ_AHEAD } = options;
    this.#events = new Arrivals(room);
    this.#signal = signal;
    this.#socket = connect(options);
    this.#stalled = setTimeout(() => {
      // @NOTE while there is no room it is us who are silent
      if (this.#socket.isPaused) this.#stalled.refresh();
      else this.#end(new NodeStreamError('the node has fallen silent'));
    }, stallMs);
    this.#socket.on('message', (bytes: Buffer, isBinary) => this.#arrive(bytes, isBinary, options));
    this.#socket.on('close', () => this.#end());
    this.#socket.on('error', (error) => {
      this.#end(this.#hasOpened ? error : new UnopenedStreamError(error.message));
    });
    this.#socket.on('unexpected-response', (_, { statusCode }) => {
      this.#end(new UnopenedStreamError(`the node answers ${statusCode}`, statusCode));
    });
    this.#socket.once('open', () => {
      this.#hasOpened = true;
      options.onOpen?.();
    });
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  /** Events that have arrived and are not taken yet. */
  get waiting(): number {
    return this.#events.count;
  }

  /**
   * What has arrived, at most so many.
   *
   * @returns undefined when the node has closed
   * @throws when the connection fails, or falls silent
   */
  async take(most: number): Promise<NodeEvent[] | undefined> {
    const events = await this.#events.take(most);
    if (!this.#events.isFull) this.#socket.resume();
    return events;
  }

  [Symbol.dispose](): void {
    this.#abort();
  }

  #arrive(bytes: Buffer, isBinary: boolean, { onArrival, onFull }: NodeStreamOptions): void {
    this.#stalled.refresh();
    try {
      const event = parse(bytes, isBinary);
      onArrival?.(event);
      this.#events.push(event, bytes.length);
      if (!this.#events.isFull) return;
      this.#socket.pause();
      onFull?.();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error?: unknown): void {
    clearTimeout(this.#stalled);
    this.#signal.removeEventListener('abort', this.#abort);
    this.#events.end(error);
    this.#socket.terminate();
  }
}

function connect({ endpoint, did, cursor, token, devMode }: NodeStreamOptions): WebSocket {
  const { subscribeRecords, subscribeService } = zone.stratos.sync;
  const { $nsid } = did === undefined ? subscribeService : subscribeRecords;
  const url = new URL(`/xrpc/${$nsid}`, endpoint);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (did !== undefined) url.searchParams.set('did', did);
  if (cursor !== undefined) url.searchParams.set('cursor', String(cursor));
  if (!devMode && (url.protocol !== 'wss:' || isIP(url.hostname.replace(/[[\]]/g, '')) !== 0)) {
    throw new NodeStreamError('the endpoint of the node is not a public https address');
  }
  return new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    perMessageDeflate: false,
    followRedirects: false,
    ...(!devMode && { lookup: unicastLookup }),
  });
}

function parse(bytes: Buffer, isBinary: boolean): NodeEvent {
  if (!isBinary) throw new GarbledStreamError('a frame is not binary');
  const frame = frameOf(bytes);
  if (frame.isError()) {
    const code = errorCode(frame.code);
    throw new NodeStreamError(`the node ends the stream: ${code}`, code);
  }
  const type = frame.isMessage() ? (frame.type ?? '') : '';
  return { type, body: frame.body, size: bytes.length };
}

function frameOf(bytes: Buffer): Frame {
  try {
    return Frame.fromBytes(bytes);
  } catch {
    throw new GarbledStreamError('a frame cannot be read');
  }
}

function errorCode(code: unknown): string {
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'unknown';
}
