import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode } from '@atproto/lex-cbor';
import type { LexMap } from '@atproto/lex-data';
import {
  type Boundary,
  type Did,
  type MembershipLogHead,
  nodeDidDocument,
  qualifyBoundary,
  SigningKey,
  signHeartbeat,
  signMembershipEntry,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SignedRepo } from './signed-repo.ts';

const STREAM = `/xrpc/${zone.stratos.sync.subscribeService.$nsid}`;
const GET_REPO = `/xrpc/${zone.stratos.sync.getRepo.$nsid}`;
const HEARTBEAT_MS = 5_000;
/** Bytes that may wait in a socket before the next frames are sent. */
const MOST_BUFFERED = 4 * 1024 * 1024;

/** A node that only sends what was made and signed before. On each socket but the stream it is silent. */
export class StubNode implements AsyncDisposable {
  readonly did: Did;
  readonly url: string;
  readonly #key: SigningKey;
  readonly #http;
  readonly #frames: Uint8Array[] = [];
  readonly #repos = new Map<string, SignedRepo>();
  readonly #followers = new Set<WebSocket>();
  readonly #beat: NodeJS.Timeout;
  #log: MembershipLogHead | undefined;

  private constructor(http: ReturnType<typeof createServer>, key: SigningKey) {
    const { port } = http.address() as AddressInfo;
    this.#http = http;
    this.#key = key;
    this.did = toDid(`did:web:localhost%3A${port}`);
    this.url = `http://localhost:${port}`;
    http.on('request', (request, response) => this.#respond(request, response));
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket, request) => void this.#serve(socket, request));
    this.#beat = setInterval(() => void this.#sendHeartbeats(), HEARTBEAT_MS);
  }

  static async start(key = SigningKey.generate('secp256k1')): Promise<StubNode> {
    const http = createServer();
    await once(http.listen(0, '127.0.0.1'), 'listening');
    return new StubNode(http, key);
  }

  get boundary(): Boundary {
    return qualifyBoundary(this.did, 'bench');
  }

  get otherBoundary(): Boundary {
    return qualifyBoundary(this.did, 'other');
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  async enroll(repo: SignedRepo): Promise<void> {
    this.#repos.set(repo.did, repo);
    await this.state(repo, { active: true, boundaries: [this.boundary] });
  }

  /** Says what somebody is a member of from here on. */
  async state(
    repo: SignedRepo,
    { active, boundaries }: { active: boolean; boundaries: Boundary[] },
  ): Promise<void> {
    const entry = await signMembershipEntry(
      {
        seq: (this.#log?.seq ?? 0) + 1,
        prev: this.#log?.cid,
        service: this.did,
        did: repo.did,
        active,
        boundaries,
        signingKey: repo.key.did(),
        issuedAt: new Date(),
      },
      this.#key,
    );
    this.#log = { seq: entry.entry.seq, cid: entry.cid };
    this.place('#membership', { time: new Date().toISOString(), entry: entry.bytes });
  }

  /** Puts an event at the end of the stream. */
  place(type: string, body: LexMap): void {
    const frame = frameOf(type, { ...body, seq: this.#frames.length + 1 });
    this.#frames.push(frame);
    for (const socket of this.#followers) socket.send(frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    for (const socket of this.#followers) socket.terminate();
    this.#http.closeAllConnections();
    await this.#http[Symbol.asyncDispose]();
  }

  async #serve(socket: WebSocket, request: IncomingMessage): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    if (url.pathname !== STREAM) return;
    socket.on('close', () => this.#followers.delete(socket));
    for (let at = Number(url.searchParams.get('cursor')); at < this.#frames.length; at++) {
      socket.send(this.#frames[at] ?? new Uint8Array());
      while (socket.bufferedAmount > MOST_BUFFERED) await sleep(1);
    }
    this.#followers.add(socket);
    socket.send(await this.#heartbeat());
  }

  async #sendHeartbeats(): Promise<void> {
    if (this.#followers.size === 0) return;
    const frame = await this.#heartbeat();
    for (const socket of this.#followers) socket.send(frame);
  }

  async #heartbeat(): Promise<Uint8Array> {
    const seq = this.#frames.length;
    const { seq: membershipSeq = 0, cid: membershipHead } = this.#log ?? {};
    const now = new Date();
    const at = { service: this.did, seq, time: now, membershipSeq, membershipHead };
    return frameOf('#heartbeat', { ...(await signHeartbeat(at, this.#key)) });
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const repo = pathname === GET_REPO && this.#repos.get(searchParams.get('did') ?? '');
    if (repo) response.end(repo.car());
    else if (pathname === '/.well-known/did.json') response.end(JSON.stringify(this.#document()));
    else response.writeHead(404).end();
  }

  #document(): object {
    const { did, url: publicUrl } = this;
    return nodeDidDocument({ did, publicUrl, signingKey: this.#key.did() });
  }
}

/** One event as it is sent. */
export function frameOf(t: string, body: LexMap): Uint8Array {
  return new Uint8Array(Buffer.concat([encode({ op: 1, t }), encode(body)]));
}
