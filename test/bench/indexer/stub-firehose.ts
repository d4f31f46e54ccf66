import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LexMap } from '@atproto/lex-data';
import { com, zone } from '@stratos/protocol/lexicons';
import { WebSocketServer } from 'ws';
import { recordAt, SignedRepo } from './signed-repo.ts';
import { frameOf } from './stub-node.ts';

/** Of the enrollment record of everybody. */
export const ENROLLMENT_RKEY = 'bench';
const COLLECTION = zone.stratos.actor.enrollment.$nsid;

/** The public side of some people: their DID documents, and a firehose that tells of them. */
export class StubFirehose implements AsyncDisposable {
  readonly url: string;
  readonly #http;
  readonly #sockets;
  readonly #public = new Map<string, SignedRepo>();
  #seq = 0;

  private constructor(http: ReturnType<typeof createServer>) {
    this.#http = http;
    this.url = `http://localhost:${(http.address() as AddressInfo).port}`;
    this.#sockets = new WebSocketServer({ server: http });
    http.on('request', ({ url = '' }, response) => {
      response.end(JSON.stringify(this.#answer(new URL(url, this.url))));
    });
  }

  static async start(): Promise<StubFirehose> {
    const http = createServer();
    await once(http.listen(0, '127.0.0.1'), 'listening');
    return new StubFirehose(http);
  }

  /** Gives somebody a public repo with an enrollment, of which nothing is told. */
  async add({ did, key }: SignedRepo): Promise<void> {
    const repo = new SignedRepo(did, key);
    const paths = ['app.bsky.actor.profile/self', `${COLLECTION}/${ENROLLMENT_RKEY}`];
    await repo.put(
      paths.map((path) => recordAt(path, {})),
      { isNew: true },
    );
    this.#public.set(did, repo);
  }

  takeDown(did: string): void {
    this.#emit('#account', { did, active: false, status: 'takendown', time: now() });
  }

  /** The commit that deletes somebody's enrollment, to be sent with `tell`. */
  async unenroll(did: string): Promise<LexMap> {
    const repo = this.#public.get(did);
    if (!repo) throw new Error('there is nobody');
    const path = `${COLLECTION}/${ENROLLMENT_RKEY}`;
    const { did: _, ...commit } = await repo.remove({ path, cid: null, boundaries: [] });
    const ops = [{ action: 'delete', path, cid: null }];
    return { ...commit, ops, repo: did, blobs: [], rebase: false, tooBig: false };
  }

  tell(commit: LexMap): void {
    this.#emit('#commit', commit);
  }

  /** As a PLC directory, and as a PDS where nobody has an enrollment any more. */
  #answer({ pathname, searchParams }: URL): object {
    const repo = this.#public.get(decodeURIComponent(pathname.slice(1)));
    if (repo) return documentOf(repo, this.url);
    if (!pathname.endsWith(com.atproto.sync.getLatestCommit.$nsid)) return { records: [] };
    return { rev: this.#public.get(searchParams.get('did') ?? '')?.rev };
  }

  #emit(type: string, body: LexMap): void {
    this.#seq += 1;
    const frame = frameOf(type, { ...body, seq: this.#seq });
    for (const socket of this.#sockets.clients) socket.send(frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    await this.#http[Symbol.asyncDispose]();
  }
}

function documentOf({ did, key }: SignedRepo, pds: string): object {
  const publicKeyMultibase = key.did().slice('did:key:'.length);
  const type = 'AtprotoPersonalDataServer';
  return {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: did,
    verificationMethod: [
      { id: `${did}#atproto`, type: 'Multikey', controller: did, publicKeyMultibase },
    ],
    service: [{ id: '#atproto_pds', type, serviceEndpoint: pds }],
  };
}

function now(): string {
  return new Date().toISOString();
}
