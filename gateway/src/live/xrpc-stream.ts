import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ErrorFrame } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import { ApiError, ERRORS } from '@stratos/schema';
import { type WebSocket, WebSocketServer } from 'ws';
import { optionalBoundaryParam } from '../api/params.ts';
import type { Logger } from '../logger.ts';
import type { RequestContexts } from '../request-context.ts';
import { LIVE_LIMITS } from './limits.ts';
import type { PostStream } from './post-stream.ts';
import { frameOf } from './xrpc-frames.ts';

const { $nsid } = zone.stratos.feed.subscribePosts;
/** Who listens has nothing to say. */
const MAX_INCOMING_BYTES = 1024;
/** Bytes that may be on their way before the next are taken. */
const MAX_AHEAD = 64 * 1024;
const MAX_CURSOR = 1024;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

export interface XrpcStreamsOptions {
  contexts: RequestContexts;
  logger: Logger;
}

/** Serves what happens to posts as an event stream of XRPC. */
export class XrpcStreams implements Disposable {
  readonly #options: XrpcStreamsOptions;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_INCOMING_BYTES });
  readonly #alive = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: XrpcStreamsOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      for (const socket of this.#sockets.clients) this.#ping(socket);
    }, LIVE_LIMITS.heartbeatMs).unref();
  }

  /** Takes over the connection of a request that asks for a WebSocket. */
  upgrade(req: IncomingMessage, connection: Duplex, head: Buffer): void {
    const url = URL.parse(req.url ?? '/', 'http://localhost');
    if (url?.pathname !== `/xrpc/${$nsid}` || !(connection instanceof Socket)) {
      connection.destroy();
      return;
    }
    const { searchParams } = url;
    this.#sockets.handleUpgrade(req, connection, head, (socket) => {
      this.#alive.add(socket);
      socket.on('pong', () => this.#alive.add(socket));
      socket.on('error', () => socket.terminate());
      void this.#serve(socket, connection, { req, searchParams });
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async #serve(
    socket: WebSocket,
    connection: Socket,
    { req, searchParams }: { req: IncomingMessage; searchParams: URLSearchParams },
  ): Promise<void> {
    try {
      const live = await this.#options.contexts.liveOf(req, $nsid);
      const after = searchParams.get('cursor') ?? undefined;
      if (after && after.length > MAX_CURSOR) {
        throw new ApiError('BAD_USER_INPUT', `cursor has at most ${MAX_CURSOR} characters`);
      }
      const boundary = optionalBoundaryParam(searchParams.get('boundary') ?? undefined);
      using stream = await live.posts({ boundary, after });
      await send(socket, connection, stream);
    } catch (error) {
      const { name, message } = this.#answerTo(error);
      const frame = new ErrorFrame({ error: name, message });
      socket.send(frame.toBytes(), { binary: true });
      socket.close(POLICY_VIOLATION, name);
    }
  }

  #answerTo(error: unknown): { name: string; message: string } {
    if (error instanceof ApiError) {
      return { name: ERRORS[error.code].xrpc, message: error.message };
    }
    this.#options.logger.error({ error }, 'XRPC stream');
    return { name: ERRORS.INTERNAL.xrpc, message: 'Unexpected error' };
  }

  #ping(socket: WebSocket): void {
    if (!this.#alive.delete(socket)) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }
}

async function send(socket: WebSocket, connection: Socket, stream: PostStream): Promise<void> {
  while (await sendNext(socket, connection, stream));
}

/** In a call of its own, so that nothing of what was sent is kept while nothing happens. */
async function sendNext(
  socket: WebSocket,
  connection: Socket,
  stream: PostStream,
): Promise<boolean> {
  const handed = await stream.take();
  if (!handed) return false;
  connection.cork();
  for (const { cursor, event } of handed) {
    socket.send(event.template('xrpc', frameOf).with(cursor), { binary: true });
    const { event: sent } = event;
    if (sent.type !== 'closed') continue;
    socket.close(sent.reason === 'reconnect' ? GOING_AWAY : POLICY_VIOLATION, sent.reason);
  }
  connection.uncork();
  if (socket.bufferedAmount > MAX_AHEAD) await drained(connection);
  return true;
}

async function drained(connection: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  connection.once('drain', resolve).once('close', resolve);
  await promise;
  connection.off('drain', resolve).off('close', resolve);
}
