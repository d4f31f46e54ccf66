import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LexMap } from '@atproto/lex-data';
import {
  blocksToCarFile,
  MemoryBlockstore,
  type RecordWriteOp,
  Repo,
  WriteOpAction,
} from '@atproto/repo';
import { MessageFrame } from '@atproto/xrpc-server';
import { type Did, SigningKey, toDid } from '@stratos/protocol';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The firehose of a PDS with one account, whose DID is the address of the PDS. A stand-in for what a
 * real one would not do: sign with a wrong key, or be without its DID document.
 */
export class PublicPds implements AsyncDisposable {
  readonly key = SigningKey.generate('secp256k1');
  did!: Did;
  url!: string;
  /** While false, the DID document cannot be had. */
  resolvable = true;
  #repo!: Repo;
  readonly #frames: Uint8Array[] = [];
  readonly #http = createServer((request, response) => {
    const body = this.#respond(request.url ?? '');
    response.writeHead(body ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
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
    this.#emit('#commit', {
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

  #emit(type: string, body: LexMap): void {
    const frame = new MessageFrame({ ...body, seq: this.#frames.length + 1 }, { type }).toBytes();
    this.#frames.push(frame);
    for (const socket of this.#sockets.clients) socket.send(frame);
  }

  #serve(socket: WebSocket, request: IncomingMessage): void {
    const cursor = Number(new URL(request.url ?? '', this.url).searchParams.get('cursor'));
    for (const frame of this.#frames.slice(cursor)) socket.send(frame);
  }

  #respond(path: string): object | undefined {
    if (path === '/xrpc/_health') return { version: 'test' };
    if (path !== '/.well-known/did.json' || !this.resolvable) return undefined;
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
