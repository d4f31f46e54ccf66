import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LexMap } from '@atproto/lex-data';
import { lexToJson } from '@atproto/lex-json';
import {
  blocksToCarFile,
  cborToLexRecord,
  getRecords,
  MemoryBlockstore,
  type RecordWriteOp,
  Repo,
  WriteOpAction,
} from '@atproto/repo';
import { MessageFrame } from '@atproto/xrpc-server';
import { type Did, SigningKey, toDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The firehose of a PDS with one account, whose DID is the address of the PDS. A stand-in for what a
 * real one would not do: sign with a wrong key, be without its DID document, or leave events out.
 */
export class PublicPds implements AsyncDisposable {
  key = SigningKey.generate('secp256k1');
  did!: Did;
  url!: string;
  /** While false, the account is not in use. */
  active = true;
  /** Called before it is told where the repo is. */
  onRead: () => Promise<void> | void = () => {};
  /** While false, the DID document cannot be had. */
  resolvable = true;
  /** Those whose events it has passed on. */
  readonly passedOn = new Set<string>();
  /** The relay that passes on what happens here. */
  relay: PublicPds | undefined;
  /** Body of the newest commit event. */
  lastCommit: LexMap = {};
  /** Events up to here are no longer to be had. */
  floor = 0;
  #repo!: Repo;
  readonly #frames: Uint8Array[] = [];
  readonly #http = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', this.url);
    const body = await this.#respond(url).catch(() => undefined);
    const isAside = body && 'error' in body;
    response.writeHead(isAside ? 400 : body ? 200 : 503, { 'content-type': 'application/json' });
    response.end(body instanceof Uint8Array ? body : JSON.stringify(body ?? {}));
  });
  readonly #sockets = new WebSocketServer({ server: this.#http });

  static async start(): Promise<PublicPds> {
    const pds = new PublicPds();
    pds.#http.listen(0, '127.0.0.1');
    await once(pds.#http, 'listening');
    const { port } = pds.#http.address() as AddressInfo;
    pds.url = `http://localhost:${port}`;
    pds.did = toDid(`did:web:localhost%3A${port}`);
    pds.#repo = await Repo.create(new MemoryBlockstore(), pds.did, pds.key);
    pds.#sockets.on('connection', (socket, request) => pds.#serve(socket, request));
    return pds;
  }

  async put(collection: string, rkey: string, record: LexMap, key = this.key): Promise<void> {
    const path = `${collection}/${rkey}`;
    const action = (await this.#repo.data.get(path)) ? WriteOpAction.Update : WriteOpAction.Create;
    await this.#commit({ action, collection, rkey, record } as RecordWriteOp, key);
  }

  async delete(collection: string, rkey: string): Promise<void> {
    await this.#commit(
      { action: WriteOpAction.Delete, collection, rkey } as RecordWriteOp,
      this.key,
    );
  }

  async #commit(write: RecordWriteOp, key: SigningKey): Promise<void> {
    const path = `${write.collection}/${write.rkey}`;
    const since = this.#repo.commit.rev;
    const data = await this.#repo.formatCommit(write, key);
    this.#repo = await this.#repo.applyCommit(data);
    this.emit('#commit', {
      rebase: false,
      tooBig: false,
      repo: this.did,
      commit: data.cid,
      rev: data.rev,
      since,
      blocks: await blocksToCarFile(data.cid, data.relevantBlocks),
      ops: [{ action: write.action, path, cid: await this.#repo.data.get(path) }],
      blobs: [],
      time: new Date().toISOString(),
    });
  }

  /** Tells that the repo is another now, without saying what is in it. */
  async emitSync(): Promise<void> {
    const { cid, commit, storage } = this.#repo;
    const { blocks: found } = await storage.getBlocks([cid]);
    const blocks = await blocksToCarFile(cid, found);
    const time = new Date().toISOString();
    this.emit('#sync', { did: this.did, rev: commit.rev, blocks, time });
  }

  emitAccount(active: boolean, status?: string): void {
    const time = new Date().toISOString();
    this.emit('#account', { did: this.did, active, time, ...(status && { status }) });
  }

  /** Goes on with another key, which its DID document names. */
  rotateKey(): void {
    this.key = SigningKey.generate('secp256k1');
    this.emit('#identity', { did: this.did, time: new Date().toISOString() });
  }

  /** How much has been told. */
  get position(): number {
    return this.#frames.length;
  }

  emit(type: string, body: LexMap): void {
    if (type === '#commit') this.lastCommit = body;
    this.relay?.emit(type, body);
    this.relay?.passedOn.add(this.did);
    const frame = new MessageFrame({ ...body, seq: this.#frames.length + 1 }, { type }).toBytes();
    this.#frames.push(frame);
    for (const socket of this.#sockets.clients) socket.send(frame);
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    const cursor = Number(new URL(request.url ?? '', this.url).searchParams.get('cursor'));
    if (cursor < this.floor) {
      socket.send(new MessageFrame({ name: 'OutdatedCursor' }, { type: '#info' }).toBytes());
    }
    const from = Math.max(cursor, this.floor);
    for (const frame of this.#frames.slice(from)) socket.send(frame);
  }

  async #respond({ pathname, searchParams }: URL): Promise<object | undefined> {
    const collection = searchParams.get('collection') ?? '';
    const rkey = searchParams.get('rkey') ?? '';
    const { storage, cid, commit } = this.#repo;
    switch (pathname) {
      case '/xrpc/_health':
        return { version: 'test' };
      case '/.well-known/did.json':
        return this.resolvable ? this.#document() : undefined;
      case `/xrpc/${com.atproto.sync.getLatestCommit.$nsid}`:
        if (!this.active) return { error: 'RepoDeactivated', message: 'not in use' };
        await this.onRead();
        return { cid: cid.toString(), rev: commit.rev };
      case '/xrpc/com.atproto.sync.listRepos':
        return this.#listRepos(searchParams.get('cursor'));
      case `/xrpc/${com.atproto.repo.listRecords.$nsid}`:
        return { records: await this.#list(collection) };
      case `/xrpc/${com.atproto.sync.getRecord.$nsid}`: {
        const chunks = await Array.fromAsync(getRecords(storage, cid, [{ collection, rkey }]));
        return Buffer.concat(chunks);
      }
      default:
        return undefined;
    }
  }

  /** Pages of one each. */
  #listRepos(cursor: string | null): object {
    const repos = [this.did, ...this.passedOn].map((did) => ({ did }));
    const at = Number(cursor ?? 0);
    const isLast = at + 1 >= repos.length;
    return { repos: repos.slice(at, at + 1), ...(!isLast && { cursor: String(at + 1) }) };
  }

  async #list(collection: string): Promise<object[]> {
    const { data, storage } = this.#repo;
    const leaves = await data.listWithPrefix(`${collection}/`);
    return Promise.all(
      leaves.map(async ({ key, value }) => {
        const bytes = await storage.getBytes(value);
        const record = bytes && lexToJson(cborToLexRecord(bytes));
        return { uri: `at://${this.did}/${key}`, cid: value.toString(), value: record };
      }),
    );
  }

  #document(): object {
    return {
      '@context': ['https://www.w3.org/ns/did/v1'],
      id: this.did,
      verificationMethod: [
        {
          id: `${this.did}#atproto`,
          type: 'Multikey',
          controller: this.did,
          publicKeyMultibase: this.key.did().slice('did:key:'.length),
        },
      ],
      service: [
        { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: this.url },
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}
