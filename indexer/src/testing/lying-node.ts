import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LexMap } from '@atproto/lex-data';
import { ErrorFrame, MessageFrame } from '@atproto/xrpc-server';
import {
  type Boundary,
  type Did,
  type MembershipEntry,
  type MembershipLogHead,
  nodeDidDocument,
  SigningKey,
  signHeartbeat,
  signKeyHandover,
  signMembershipEntry,
  toBoundary,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type WebSocket, WebSocketServer } from 'ws';
import type { NodeEvent } from '../applying/apply-event.ts';
import type { Author, UnplacedCommit } from './author.ts';

/** A node over real sockets that says whatever a test wants it to say. */
export class LyingNode implements AsyncDisposable {
  key = SigningKey.generate('secp256k1');
  readonly events: NodeEvent[] = [];
  /** The `Authorization` and the query of each connection. */
  readonly connections: { authorization: string | undefined; cursor: number }[] = [];
  /** Whether the current position is told after the backlog. */
  beats = true;
  /** Whether it takes positions that it has not reached for its own. */
  isForgetful = false;
  logPageSize = 100;
  document: Record<string, unknown> = {};
  /** What it publishes as its keys so far; nothing if undefined. */
  keyHistory: unknown[] | undefined;
  did!: Did;
  url!: string;
  log: MembershipLogHead | undefined;
  /** The membership log, as it is to be had besides the stream. */
  readonly entries: { seq: number; bytes: Uint8Array }[] = [];
  /** Events up to here are no longer to be had. */
  floor = 0;
  /** What becomes of each frame on its way; undefined cuts the connection before it. */
  onFrame: ((frame: Uint8Array) => readonly Uint8Array[] | undefined) | undefined;
  /** What else is said once all events have been. */
  onRest: (() => Promise<Uint8Array | undefined>) | undefined;
  /** What it gives when asked for somebody's repo. */
  readonly repos = new Map<string, () => Promise<Uint8Array>>();
  /** Those whose repo it was asked for, and by what token. */
  readonly repoRequests: { did: string; authorization: string | undefined }[] = [];
  readonly #http = createServer((request, response) => void this.#respond(request, response));
  readonly #sockets = new WebSocketServer({ server: this.#http });

  static async start(port = 0): Promise<LyingNode> {
    const node = new LyingNode();
    node.#http.listen(port, '127.0.0.1');
    await once(node.#http, 'listening');
    const taken = (node.#http.address() as AddressInfo).port;
    node.url = `http://localhost:${taken}`;
    node.did = toDid(`did:web:localhost%3A${taken}`);
    node.nameKey();
    node.#sockets.on('connection', (socket, request) => void node.#serve(socket, request));
    return node;
  }

  /** Has the DID document name the key of now. */
  nameKey(): void {
    const { did, url: publicUrl, key } = this;
    this.document = nodeDidDocument({ did, publicUrl, signingKey: key.did() });
  }

  /** Goes on with a new key, and publishes what it should say of the one before. */
  async rotateKey(lie: { signedBy?: SigningKey } = {}): Promise<void> {
    const before = this.key;
    const now = new Date();
    const membershipSeq = (this.log?.seq ?? 0) + 1;
    this.key = SigningKey.generate('secp256k1');
    const key = this.key.did();
    const sig = await signKeyHandover(
      { did: this.did, key, validFrom: now, membershipSeq },
      lie.signedBy ?? before,
    );
    const at = now.toISOString();
    this.keyHistory = [
      { key: before.did(), validFrom: new Date(0).toISOString(), validUntil: at, membershipSeq: 1 },
      { key, validFrom: at, membershipSeq, sig: { $bytes: Buffer.from(sig).toString('base64') } },
    ];
    this.nameKey();
  }

  boundary(name: string): Boundary {
    return toBoundary(`${this.did}/${name}`);
  }

  get position(): number {
    return this.events.length;
  }

  async membership(
    author: Author,
    names: string[],
    lie: Partial<MembershipEntry> & { signedBy?: SigningKey } = {},
  ): Promise<NodeEvent> {
    const { signedBy = this.key, ...fields } = lie;
    const signed = await signMembershipEntry(
      {
        seq: (this.log?.seq ?? 0) + 1,
        prev: this.log?.cid,
        service: this.did,
        did: author.did,
        active: true,
        boundaries: names.map((name) => this.boundary(name)),
        signingKey: author.key.did(),
        issuedAt: new Date(),
        ...fields,
      },
      signedBy,
    );
    this.log = { seq: signed.entry.seq, cid: signed.cid };
    this.entries.push({ seq: signed.entry.seq, bytes: signed.bytes });
    return this.membershipBytes(signed.bytes);
  }

  membershipBytes(entry: Uint8Array): NodeEvent {
    return this.#place('#membership', { time: new Date().toISOString(), entry });
  }

  commit(commit: UnplacedCommit): NodeEvent {
    return this.#place('#commit', commit as LexMap);
  }

  async heartbeat(
    lie: { seq?: number; time?: Date; service?: Did; signedBy?: SigningKey } = {},
  ): Promise<NodeEvent> {
    const { signedBy = this.key, seq = this.position, time = new Date() } = lie;
    const { service = this.did } = lie;
    const { seq: membershipSeq = 0, cid: membershipHead } = this.log ?? {};
    const body = await signHeartbeat(
      { service, seq, time, membershipSeq, membershipHead },
      signedBy,
    );
    return { type: '#heartbeat', body };
  }

  /** Sends what has been placed meanwhile, and the position. */
  async flush(): Promise<void> {
    for (const socket of this.#sockets.clients) await this.#send(socket);
  }

  /** The same to the oldest connection alone. */
  async flushOldest(): Promise<void> {
    const [oldest] = this.#sockets.clients;
    if (oldest) await this.#send(oldest);
  }

  /** Sends nothing for so many milliseconds, and what there is with the next flush after that. */
  holdFor(ms: number): void {
    this.#heldUntil = performance.now() + ms;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    if (url.pathname === `/xrpc/${zone.stratos.sync.getRepo.$nsid}`) {
      const did = url.searchParams.get('did') ?? '';
      this.repoRequests.push({ did, authorization: request.headers.authorization });
      const car = await this.repos.get(did)?.();
      response.writeHead(car ? 200 : 404).end(car);
      return;
    }
    const answer = this.#answer(url);
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  }

  #answer({ pathname, searchParams }: URL): object | undefined {
    if (pathname === '/.well-known/did.json') return this.document;
    if (pathname.endsWith(zone.stratos.admin.getMembershipLog.$nsid)) {
      return this.#logPage(Number(searchParams.get('cursor')), this.logPageSize);
    }
    if (!pathname.endsWith(zone.stratos.identity.getKeyHistory.$nsid)) return undefined;
    return this.keyHistory && { did: this.did, keys: this.keyHistory };
  }

  #logPage(after: number, limit: number): object {
    const found = this.entries.filter(({ seq }) => seq > after);
    const entries = found.slice(0, limit).map(({ seq, bytes }) => ({
      seq,
      entry: { $bytes: Buffer.from(bytes).toString('base64') },
    }));
    return { entries, ...(found.length > limit && { cursor: entries.at(-1)?.seq }) };
  }

  #place(type: string, body: LexMap): NodeEvent {
    const event = { type, body: { ...body, seq: this.position + 1 } };
    this.events.push(event);
    return event;
  }

  readonly #sent = new WeakMap<WebSocket, number>();
  #heldUntil = 0;

  get #isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  async #serve(socket: WebSocket, request: IncomingMessage): Promise<void> {
    const cursor = Number(new URL(request.url ?? '', this.url).searchParams.get('cursor'));
    this.connections.push({ authorization: request.headers.authorization, cursor });
    if (cursor > this.position && !this.isForgetful) {
      socket.send(new ErrorFrame({ error: 'FutureCursor' }).toBytes());
      socket.close();
      return;
    }
    if (cursor < this.floor) {
      socket.send(bytesOf({ type: '#info', body: { name: 'OutdatedCursor' } }));
    }
    this.#sent.set(socket, Math.max(cursor, this.floor));
    await this.#send(socket);
  }

  async #send(socket: WebSocket): Promise<void> {
    for (let at = this.#sent.get(socket) ?? 0; at < this.position; at++) {
      if (this.#isHeld) return;
      const frame = bytesOf(this.events[at] as NodeEvent);
      const frames = this.onFrame ? this.onFrame(frame) : [frame];
      this.#sent.set(socket, at + 1);
      if (!frames) return socket.terminate();
      for (const each of frames) socket.send(each);
    }
    const more = await this.onRest?.();
    if (more) socket.send(more);
    if (this.beats && !this.#isHeld) socket.send(bytesOf(await this.heartbeat()));
  }
}

/** An event as it is sent. */
export function bytesOf({ type, body }: NodeEvent): Uint8Array {
  return new MessageFrame(body as LexMap, { type }).toBytes();
}
