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

export interface PdsRecord {
  uri: string;
  value: Record<string, unknown>;
}

/** How a PDS that misbehaves takes a call: with a status, or not at all. */
export type Misbehaviour = number | 'hang up' | 'never answer';

/** A PDS that does what it is told to, well or badly, and remembers what it was asked. */
export class FakePds implements AsyncDisposable {
  /** Writes that it took, in order. */
  readonly taken: PdsCall[] = [];
  /** How it answers the next calls; well when there is nothing left. */
  readonly plan: Misbehaviour[] = [];
  /** Called before each answer. */
  onCall: (call: PdsCall) => Misbehaviour | undefined = () => this.plan.shift();
  /** What it holds, by address. */
  readonly records = new Map<string, PdsRecord>();
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

  takenOf(repo: string): PdsCall[] {
    return this.taken.filter((call) => call.repo === repo);
  }

  recordsOf(repo: string): PdsRecord[] {
    return [...this.records.values()].filter(({ uri }) => uri.startsWith(`at://${repo}/`));
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
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
    const call = await callOf(req);
    const misbehaviour = this.onCall(call);
    if (misbehaviour === 'hang up') {
      req.socket.destroy();
    } else if (typeof misbehaviour === 'number') {
      res.writeHead(misbehaviour).end(JSON.stringify({ error: 'Fake', message: 'as told' }));
    } else if (misbehaviour === undefined && call.method === 'getRecord') {
      const record = this.records.get(`at://${call.repo}/${call.collection}/${call.rkey}`);
      if (!record) res.statusCode = 400;
      res.end(JSON.stringify(record ?? { error: 'RecordNotFound', message: 'not there' }));
    } else if (misbehaviour === undefined) {
      res.end(JSON.stringify(this.#take(call)));
    }
  }

  #take(call: PdsCall): unknown {
    const { method, repo, collection, rkey, record } = call;
    const folder = `at://${repo}/${collection}/`;
    if (method === 'listRecords') {
      return { records: this.recordsOf(repo).filter(({ uri }) => uri.startsWith(folder)) };
    }
    this.taken.push(call);
    const uri = `${folder}${rkey}`;
    if (record) this.records.set(uri, { uri, value: record });
    else this.records.delete(uri);
    return {};
  }
}

async function callOf(req: IncomingMessage): Promise<PdsCall> {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
  const method = pathname.split('.').at(-1) ?? '';
  const body = req.method === 'GET' ? Object.fromEntries(searchParams) : await json(req);
  return { ...(body as Omit<PdsCall, 'method'>), method };
}
