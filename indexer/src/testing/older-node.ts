import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { LexMap } from '@atproto/lex-data';
import { ErrorFrame } from '@atproto/xrpc-server';
import {
  type Boundary,
  type Did,
  nodeDidDocument,
  SigningKey,
  signAttestation,
  toBoundary,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Author, UnplacedCommit } from './author.ts';
import { bytesOf } from './lying-node.ts';

/** What is said of somebody, if not the truth. */
interface Lie {
  did?: Did;
  enrolled?: boolean;
  active?: boolean;
  boundaries?: readonly string[];
  signedBy?: SigningKey;
}

/** A node without a membership log and without a stream of all, over real sockets, that lies as it is told. */
export class OlderNode implements AsyncDisposable {
  readonly key = SigningKey.generate('secp256k1');
  did!: Did;
  url!: string;
  /** What whoever asks for a stream of all gets: a status, or nothing at all. */
  refusal: number | 'hang-up' = 'hang-up';
  /** How often somebody asked for that. */
  refused = 0;
  /** Those who are enrolled, and in what. */
  readonly enrolled = new Map<string, { author: Author; names: string[]; lie?: Lie }>();
  /** Of whom it does not answer when it is asked. */
  readonly silentAbout = new Set<string>();
  /** Whose streams it refuses. */
  readonly broken = new Set<string>();
  /** The streams, by whose repo it is. */
  readonly frames = new Map<string, { type: string; body: LexMap }[]>();
  readonly repos = new Map<string, () => Promise<Uint8Array>>();
  /** Each turn that somebody had: whose it was, from where. */
  readonly turns: { did: string; cursor: number | undefined }[] = [];
  /** Whom it was asked about, each time. */
  readonly asked: string[] = [];
  /** How often it was asked for a repo. */
  repoRequests = 0;
  /** Events up to here are no longer to be had, nor among the streams. */
  floor = 0;
  readonly #http = createServer((request, response) => void this.#respond(request, response));
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #listening = new Map<WebSocket, string>();

  static async start(): Promise<OlderNode> {
    const node = new OlderNode();
    node.#http.listen(0, '127.0.0.1');
    await once(node.#http, 'listening');
    const { port } = node.#http.address() as AddressInfo;
    node.url = `http://localhost:${port}`;
    node.did = toDid(`did:web:localhost%3A${port}`);
    node.#http.on('upgrade', (request, socket, head) => node.#upgrade(request, socket, head));
    return node;
  }

  boundary(name: string): Boundary {
    return toBoundary(`${this.did}/${name}`);
  }

  enroll(author: Author, names: string[], lie?: Lie): void {
    this.enrolled.set(author.did, { author, names, ...(lie && { lie }) });
    this.repos.set(author.did, () => author.car());
  }

  /** Tells of a commit, one event for each change, as older nodes write them. */
  tell({ did, rev, commit, ops }: UnplacedCommit, lie: LexMap = {}): void {
    for (const { action, path, cid } of ops) {
      const op = { action, path: `/${path}`, ...(cid && { cid: cid.toString() }) };
      const seq = this.floor + this.#framesOf(did).length + 1;
      const body = { seq, did, rev, time: new Date().toISOString(), ops: [op], ...lie };
      this.send(did, '#commit', { ...body, commit: commit.toString() });
    }
  }

  send(did: string, type: string, body: LexMap): void {
    this.#framesOf(did).push({ type, body });
    for (const [socket, listened] of this.#listening) {
      if (listened === did) socket.send(bytesOf({ type, body }));
    }
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#listening.keys()) socket.terminate();
  }

  #framesOf(did: string) {
    const frames = this.frames.get(did) ?? [];
    this.frames.set(did, frames);
    return frames;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const { subscribeRecords, subscribeService } = zone.stratos.sync;
    const isOfAll = pathname === `/xrpc/${subscribeService.$nsid}`;
    if (isOfAll) this.refused++;
    if (isOfAll && this.refusal !== 'hang-up') {
      socket.end(`HTTP/1.1 ${this.refusal} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    } else if (pathname === `/xrpc/${subscribeRecords.$nsid}`) {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#serve(ws, searchParams));
    } else socket.destroy();
  }

  #serve(socket: WebSocket, params: URLSearchParams): void {
    const did = params.get('did') ?? '';
    const given = params.get('cursor');
    const cursor = given === null ? undefined : Number(given);
    this.turns.push({ did, cursor });
    this.#listening.set(socket, did);
    socket.on('close', () => this.#listening.delete(socket));
    const frames = this.#framesOf(did);
    const isAhead = cursor !== undefined && cursor > this.floor + frames.length;
    const error = isAhead ? 'FutureCursor' : this.broken.has(did) && 'RepoNotFound';
    if (error) {
      socket.send(new ErrorFrame({ error }).toBytes());
      socket.close();
      return;
    }
    if (cursor !== undefined && cursor < this.floor) {
      socket.send(bytesOf({ type: '#info', body: { name: 'OutdatedCursor' } }));
    }
    for (const frame of frames.slice(Math.max((cursor ?? 0) - this.floor, 0))) {
      socket.send(bytesOf(frame));
    }
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const did = searchParams.get('did') ?? '';
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    switch (pathname) {
      case '/.well-known/did.json': {
        const { did: service, url: publicUrl, key } = this;
        return void answer(
          200,
          nodeDidDocument({ did: service, publicUrl, signingKey: key.did() }),
        );
      }
      case `/xrpc/${zone.stratos.enrollment.status.$nsid}`: {
        this.asked.push(did);
        if (this.silentAbout.has(did)) return void answer(500, {});
        return void answer(200, await this.#statusOf(did));
      }
      case `/xrpc/${zone.stratos.sync.getRepo.$nsid}`: {
        this.repoRequests++;
        const car = await this.repos.get(did)?.();
        return void response.writeHead(car ? 200 : 404).end(car);
      }
      default:
        return void answer(501, { error: 'MethodNotImplemented' });
    }
  }

  async #statusOf(did: string): Promise<object> {
    const known = this.enrolled.get(did);
    if (!known) return { did, enrolled: false };
    const { author, names, lie = {} } = known;
    const claims = {
      did: author.did,
      boundaries: lie.boundaries?.map(toBoundary) ?? names.map((name) => this.boundary(name)),
      signingKey: author.key.did(),
    };
    const { sig, signingKey } = await signAttestation(claims, lie.signedBy ?? this.key);
    return {
      did: lie.did ?? did,
      ...{ enrolled: lie.enrolled ?? true, active: lie.active ?? true },
      signingKey: claims.signingKey,
      boundaries: claims.boundaries.map((value) => ({ value })),
      // As older nodes write bytes.
      attestation: { sig: { ...sig }, signingKey },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}
