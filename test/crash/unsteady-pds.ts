import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';

const SLOWEST_MS = 15;
const FAILURES = 0.01;

interface Call {
  repo: string;
  collection: string;
  rkey: string;
  record?: Record<string, unknown>;
}

/**
 * Everybody's PDS, as far as a node writes to it: slow, out of order now and then, and at times it
 * does what it was asked and loses the answer.
 */
export class UnsteadyPds implements AsyncDisposable {
  /** What it holds, by address. */
  readonly records = new Map<string, Record<string, unknown>>();
  readonly #server: Server;
  readonly #random: Random;

  private constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    server.on('request', (req, res) => void this.#answer(req, res));
  }

  static async start(random: Random): Promise<UnsteadyPds> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new UnsteadyPds(server, random);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The addresses of what it holds of somebody, in one collection, with the values. */
  recordsOf(repo: string, collection: string): [uri: string, value: Record<string, unknown>][] {
    const folder = `at://${repo}/${collection}/`;
    return [...this.records].filter(([uri]) => uri.startsWith(folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
    const method = pathname.split('.').at(-1) ?? '';
    if (req.method === 'GET') return send(res, ...this.#read(method, searchParams));
    const call = (await json(req).catch(() => undefined)) as Call | undefined;
    if (!call) return send(res, 400, { error: 'InvalidRequest', message: 'no body' });
    await sleep(this.#random.between(0, SLOWEST_MS));
    if (this.#random.chance(FAILURES)) {
      return send(res, 503, { error: 'Unavailable', message: 'a bad day' });
    }
    const uri = `at://${call.repo}/${call.collection}/${call.rkey}`;
    if (method === 'putRecord' && call.record) this.records.set(uri, call.record);
    else if (method === 'deleteRecord') this.records.delete(uri);
    else return send(res, 501, { error: 'MethodNotImplemented', message: method });
    if (this.#random.chance(FAILURES)) req.socket.destroy();
    else send(res, 200, {});
  }

  #read(method: string, params: URLSearchParams): [status: number, body: unknown] {
    const [repo, collection, rkey] = ['repo', 'collection', 'rkey'].map((key) => params.get(key));
    if (method === 'listRecords') {
      const found = this.recordsOf(repo ?? '', collection ?? '');
      return [200, { records: found.map(([uri, value]) => ({ uri, value })) }];
    }
    const uri = `at://${repo}/${collection}/${rkey}`;
    const value = this.records.get(uri);
    if (!value) return [400, { error: 'RecordNotFound', message: uri }];
    return [200, { uri, value }];
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
