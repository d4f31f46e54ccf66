import type { IncomingMessage } from 'node:http';
import type { XrpcStreamServer } from '@atproto/xrpc-server';
import type { WebSocket } from 'ws';
import { sendTogether } from './send-together.ts';
import type { StreamLimits } from './stream-limits.ts';

/** Consumers have nothing to say. */
const MAX_INCOMING_BYTES = 1024;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

export interface SocketsOptions extends Pick<StreamLimits, 'pingEveryMs' | 'lingerMs'> {
  stopping: AbortSignal;
}

/**
 * The open WebSockets of one stream. Dead peers are found out by pings, and all are told to go when
 * the node stops.
 */
export class Sockets {
  readonly #byRequest = new WeakMap<IncomingMessage, WebSocket>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #lingerMs: number;

  constructor(
    { wss }: Pick<XrpcStreamServer, 'wss'>,
    { stopping, pingEveryMs, lingerMs }: SocketsOptions,
  ) {
    this.#lingerMs = lingerMs;
    wss.options.maxPayload = MAX_INCOMING_BYTES;
    // @NOTE before the listener of xrpc-server, which begins to serve the stream at once
    wss.prependListener('connection', (socket: WebSocket, req: IncomingMessage) => {
      this.#byRequest.set(req, socket);
      this.#alive.add(socket);
      socket.on('pong', () => this.#alive.add(socket));
      sendTogether(socket, req.socket);
    });
    const timer = setInterval(() => {
      for (const socket of wss.clients) this.#ping(socket);
    }, pingEveryMs);
    timer.unref();
    const stop = () => {
      clearInterval(timer);
      for (const socket of wss.clients) this.#dismiss(socket, GOING_AWAY, 'the node stops');
    };
    stopping.addEventListener('abort', stop, { once: true });
  }

  /** Notes that a consumer took a frame, which is as good a sign of life as the answer to a ping. */
  tookFrame(req: IncomingMessage): void {
    const socket = this.#byRequest.get(req);
    if (socket) this.#alive.add(socket);
  }

  /** Sends a consumer away who does not take what it is sent. */
  cut(req: IncomingMessage): void {
    const socket = this.#byRequest.get(req);
    if (socket) this.#dismiss(socket, POLICY_VIOLATION, 'ConsumerTooSlow');
  }

  #ping(socket: WebSocket): void {
    if (!this.#alive.delete(socket)) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }

  #dismiss(socket: WebSocket, code: number, reason: string): void {
    socket.close(code, reason);
    const timer = setTimeout(() => socket.terminate(), this.#lingerMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  }
}
