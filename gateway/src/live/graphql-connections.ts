import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Did } from '@stratos/protocol';
import { ApiError, type CloseReason } from '@stratos/schema';
import type { Request } from 'express';
import { EventSource } from './event-source.ts';
import { GraphqlSubscription } from './graphql-subscription.ts';
import type { PostStream } from './post-stream.ts';
import { sendEvents } from './send-events.ts';

/** By which a request says on which connection it wants its answer. */
const TOKEN_HEADER = 'x-graphql-event-stream-token';
/** Milliseconds in which a connection that was reserved has to be opened. */
const OPEN_WITHIN_MS = 30_000;
/** Connections that one viewer may have. */
const PER_VIEWER = 5;

/** A subscription of which is told on a connection. */
interface Running {
  stream: PostStream;
  /** Resolves after its last word. */
  isOver: Promise<void>;
}

/** One connection on which somebody gets the answers to several requests. */
export class GraphqlConnection {
  readonly viewer: Did;
  readonly token = randomBytes(24).toString('base64url');
  readonly #running = new Map<string, Running>();
  #open: { res: ServerResponse; source: EventSource } | undefined;

  constructor(viewer: Did) {
    this.viewer = viewer;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Begins the answer that carries all the others.
   *
   * @param until - when the session of whoever opens it is over, and with it all that it carries
   */
  open(res: ServerResponse, until: Date): void {
    this.#open = { res, source: new EventSource(res) };
    const sessionEnd = setTimeout(
      () => void this.close('sessionExpired'),
      until.getTime() - Date.now(),
    ).unref();
    res.once('close', () => {
      clearTimeout(sessionEnd);
      for (const { stream } of this.#running.values()) stream[Symbol.dispose]();
    });
  }

  /** Ends it after a last word of each subscription. */
  async close(reason: CloseReason): Promise<void> {
    const running = [...this.#running.values()];
    for (const { stream } of running) stream.close(reason);
    await Promise.all(running.map(({ isOver }) => isOver));
    await this.#open?.source.end();
  }

  /** Sends the answer to a request, all of it or bit by bit. @returns the status of the request itself */
  carry(req: Request, answer: GraphqlSubscription | object): number {
    const id = operationIdOf(req);
    const subscription = answer instanceof GraphqlSubscription ? answer : undefined;
    const status = !this.#open ? 404 : id === undefined ? 400 : this.#running.has(id) ? 409 : 202;
    if (!this.#open || id === undefined || status !== 202) {
      subscription?.stream[Symbol.dispose]();
      return status;
    }
    const { res, source } = this.#open;
    if (!subscription) {
      void source.send([eventOf('next', { id, payload: answer }), eventOf('complete', { id })]);
      return status;
    }
    if (res.socket) subscription.stream.carryBy(res.socket);
    const isOver = this.#run(id, subscription, source);
    this.#running.set(id, { stream: subscription.stream, isOver });
    return status;
  }

  /** Ends a subscription. */
  stop(id: string): void {
    this.#running.get(id)?.stream[Symbol.dispose]();
  }

  async #run(id: string, subscription: GraphqlSubscription, source: EventSource): Promise<void> {
    using _stream = subscription.stream;
    const before = `event: next\ndata: {"id":${JSON.stringify(id)},"payload":`;
    await sendEvents(subscription, source, { before: () => before, after: '}\n\n' });
    await source.send([eventOf('complete', { id })]);
    this.#running.delete(id);
  }
}

/** The connections that are open or about to be. */
export class GraphqlConnections {
  readonly #byToken = new Map<string, GraphqlConnection>();

  /** A place for a connection. Throws `TOO_MANY_STREAMS`. */
  reserve(viewer: Did): GraphqlConnection {
    const own = [...this.#byToken.values()].filter((one) => one.viewer === viewer);
    if (own.length >= PER_VIEWER) {
      throw new ApiError('TOO_MANY_STREAMS', 'You have too many connections open');
    }
    const connection = new GraphqlConnection(viewer);
    this.#byToken.set(connection.token, connection);
    setTimeout(() => {
      if (!connection.isOpen) this.#byToken.delete(connection.token);
    }, OPEN_WITHIN_MS).unref();
    return connection;
  }

  /** The connection that a request names. */
  askedFor(req: Request): GraphqlConnection | undefined {
    return this.#byToken.get(req.header(TOKEN_HEADER) ?? '');
  }

  /**
   * The connection that carries the answer to a request, undefined when it names none. Throws `NOT_FOUND` when
   * it names one that is not its caller's.
   */
  carrierOf(req: Request, caller: Did | undefined): GraphqlConnection | undefined {
    if (req.header(TOKEN_HEADER) === undefined) return undefined;
    const connection = this.askedFor(req);
    if (!connection || connection.viewer !== caller) throw noConnection();
    return connection;
  }

  /** Has everybody go elsewhere. */
  drain(): void {
    for (const connection of this.#byToken.values()) void connection.close('reconnect');
  }

  /**
   * Opens a connection until a session is over. It is forgotten when it ends. Throws `BAD_USER_INPUT` when it
   * is open.
   */
  open(connection: GraphqlConnection, res: ServerResponse, until: Date): void {
    if (connection.isOpen) throw new ApiError('BAD_USER_INPUT', 'The connection is open already');
    connection.open(res, until);
    res.once('close', () => this.#byToken.delete(connection.token));
  }
}

/** The same for a connection of somebody else. */
export function noConnection(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no such connection');
}

function operationIdOf(req: Request): string | undefined {
  const id: unknown = req.body?.extensions?.operationId;
  return typeof id === 'string' ? id : undefined;
}

function eventOf(event: 'next' | 'complete', data: object): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
