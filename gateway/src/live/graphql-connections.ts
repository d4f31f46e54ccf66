import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Did } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';
import type { Request } from 'express';
import { EventSource } from './event-source.ts';
import { GraphqlSubscription } from './graphql-subscription.ts';
import { sendEvents } from './send-events.ts';

/** By which a request says on which connection it wants its answer. */
export const TOKEN_HEADER = 'x-graphql-event-stream-token';
/** Milliseconds in which a connection that was reserved has to be opened. */
const OPEN_WITHIN_MS = 30_000;
/** Connections that one viewer may have. */
const PER_VIEWER = 5;

/** One connection on which somebody gets the answers to several requests. */
export class GraphqlConnection {
  readonly viewer: Did;
  readonly token = randomBytes(24).toString('base64url');
  readonly #running = new Map<string, Disposable>();
  #open: { res: ServerResponse; source: EventSource } | undefined;

  constructor(viewer: Did) {
    this.viewer = viewer;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Begins the answer that carries all the others. */
  open(res: ServerResponse): void {
    this.#open = { res, source: new EventSource(res) };
    res.once('close', () => {
      for (const running of this.#running.values()) running[Symbol.dispose]();
    });
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
    this.#running.set(id, subscription.stream);
    void this.#run(id, subscription, source);
    return status;
  }

  /** Ends a subscription. */
  stop(id: string): void {
    this.#running.get(id)?.[Symbol.dispose]();
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

  /** Opens a connection, which is forgotten when it ends. Throws `BAD_USER_INPUT` when it is open. */
  open(connection: GraphqlConnection, res: ServerResponse): void {
    if (connection.isOpen) throw new ApiError('BAD_USER_INPUT', 'The connection is open already');
    connection.open(res);
    res.once('close', () => this.#byToken.delete(connection.token));
  }
}

function operationIdOf(req: Request): string | undefined {
  const id: unknown = req.body?.extensions?.operationId;
  return typeof id === 'string' ? id : undefined;
}

function eventOf(event: 'next' | 'complete', data: object): Buffer {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
