import { isIP } from 'node:net';
import { Frame } from '@atproto/xrpc-server';
import { unicastLookup } from '@atproto-labs/fetch-node';
import { zone } from '@stratos/protocol/lexicons';
import { createWebSocketStream, WebSocket } from 'ws';
import type { NodeEvent } from '../applying/apply-event.ts';

const MAX_FRAME_BYTES = 8 * 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Three of the longest intervals that a heartbeat may have. */
export const STALL_MS = 45_000;

export interface NodeStreamOptions {
  endpoint: string;
  cursor: number;
  /** Service-auth JWT for this one connection. */
  token: string;
  devMode: boolean;
  stallMs?: number;
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

/**
 * The events of a node from `cursor` on, in order. Reads no faster than it is read. Ends when the
 * node closes, rejects when the connection fails or falls silent.
 */
export async function* nodeEvents(options: NodeStreamOptions): AsyncGenerator<NodeEvent> {
  const { signal, stallMs = STALL_MS } = options;
  const socket = connect(options);
  const frames = createWebSocketStream(socket, { readableObjectMode: true, highWaterMark: 64 });
  const abort = () => frames.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const stalled = setTimeout(() => {
    frames.destroy(new NodeStreamError('the node has fallen silent'));
  }, stallMs);
  socket.on('message', () => stalled.refresh());
  try {
    for await (const frame of frames) {
      stalled.refresh();
      yield parse(frame);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(stalled);
    signal.removeEventListener('abort', abort);
    socket.terminate();
  }
}

function connect({ endpoint, cursor, token, devMode }: NodeStreamOptions): WebSocket {
  const url = new URL(`/xrpc/${zone.stratos.sync.subscribeService.$nsid}`, endpoint);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('cursor', String(cursor));
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

function parse(bytes: unknown): NodeEvent {
  if (!(bytes instanceof Uint8Array)) throw new NodeStreamError('a frame is not binary');
  const frame = Frame.fromBytes(bytes);
  if (frame.isError()) {
    const code = errorCode(frame.code);
    throw new NodeStreamError(`the node ends the stream: ${code}`, code);
  }
  return { type: frame.isMessage() ? (frame.type ?? '') : '', body: frame.body };
}

function errorCode(code: unknown): string {
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'unknown';
}
