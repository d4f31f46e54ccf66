import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { FindPdsSession } from '../outbox/oauth-sessions.ts';
import { PdsError } from '../outbox/pds-repo.ts';

export interface PdsCall {
  method: string;
  repo: string;
  collection: string;
  rkey: string;
  record?: Record<string, unknown>;
}

/** How a PDS that misbehaves takes a call: with a status, or not at all. */
export type Misbehaviour = number | 'hang up' | 'never answer';

/** A PDS that does what it is told to, well or badly, and remembers what it was asked. */
export class FakePds implements AsyncDisposable {
  /** Calls that it took, in order. */
  readonly taken: PdsCall[] = [];
  /** How it answers the next calls; well when there is nothing left. */
  readonly plan: Misbehaviour[] = [];
  /** Called before each answer. */
  onCall: (call: PdsCall) => Misbehaviour | undefined = () => this.plan.shift();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (req, res) => void this.#answer(req, res));
  }

  static async start(): Promise<FakePds> {
    const server = createServer().listen(0);
    await once(server, 'listening');
    return new FakePds(server);
  }

  /** Sessions by which a node may write to it. */
  get sessions(): FindPdsSession {
    const { port } = this.#server.address() as AddressInfo;
    return async () => ({
      fetchHandler: async (path, init) => {
        try {
          return await fetch(`http://127.0.0.1:${port}${path}`, init);
        } catch (cause) {
          throw new PdsError('the PDS cannot be reached', { cause, isTransient: true });
        }
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = (await json(req)) as Omit<PdsCall, 'method'>;
    const call = { ...body, method: req.url?.split('.').at(-1) ?? '' };
    const misbehaviour = this.onCall(call);
    if (misbehaviour === 'hang up') {
      req.socket.destroy();
    } else if (typeof misbehaviour === 'number') {
      res.writeHead(misbehaviour).end(JSON.stringify({ error: 'Fake', message: 'as told' }));
    } else if (misbehaviour === undefined) {
      this.taken.push(call);
      res.end('{}');
    }
  }
}
