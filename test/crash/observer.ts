import { setTimeout as sleep } from 'node:timers/promises';
import { decodeAll } from '@atproto/lex-cbor';
import type { LexMap } from '@atproto/lex-data';
import {
  type DidKey,
  type MembershipEntry,
  type MembershipLogHead,
  type RepoHead,
  signingKeysOf,
  verifyCommit,
  verifyMembershipEntry,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { WebSocket } from 'ws';
import type { Person } from '../bench/people.ts';
import { type DoomedNode, NODE_DID } from './doomed-node.ts';

const nsid = zone.stratos.sync.subscribeService.$nsid;
const PATIENCE_MS = 120_000;

interface Repo extends RepoHead {
  commit: string;
  /** CID by path. */
  records: Map<string, string>;
  revs: Set<string>;
}

/** An AppView that follows the node's stream across its deaths, and believes nothing unproven. */
export class Observer {
  readonly repos = new Map<string, Repo>();
  /** The newest entry about each person. */
  readonly standings = new Map<string, MembershipEntry>();
  seq = 0;
  commits = 0;
  memberships = 0;
  readonly #appView: Person;
  #head: MembershipLogHead | undefined;
  #keys: DidKey[] = [];

  constructor(appView: Person) {
    this.#appView = appView;
  }

  /** Follows the stream from where it is to its end. Throws at the first event that does not hold. */
  async catchUp(node: DoomedNode): Promise<void> {
    const document = await (await fetch(`${node.url}/.well-known/did.json`)).json();
    this.#keys = signingKeysOf(document);
    for await (const { type, body } of framesOf(node, this.#appView, this.seq)) {
      if (type === '#heartbeat') return;
      const seq = Number(body['seq']);
      if (seq <= this.seq) throw new Error(`the stream goes from ${this.seq} to ${seq}`);
      this.seq = seq;
      if (type === '#commit') await this.#takeCommit(body);
      else if (type === '#membership') await this.#takeMembership(body['entry'] as Uint8Array);
      else throw new Error(`the stream says ${type} ${JSON.stringify(body)}`);
    }
  }

  async #takeCommit(frame: LexMap): Promise<void> {
    const did = String(frame['did']);
    const standing = this.standings.get(did);
    if (!standing) throw new Error(`a commit of ${did} before their membership`);
    const previous = this.repos.get(did);
    const { signingKey } = standing;
    const verified = await verifyCommit(frame, { service: NODE_DID, signingKey, previous });
    const { rev, data, commit, ops } = verified;
    const records = previous?.records ?? new Map();
    const revs = previous?.revs ?? new Set();
    for (const { collection, rkey, cid } of ops) {
      if (cid) records.set(`${collection}/${rkey}`, cid);
      else records.delete(`${collection}/${rkey}`);
    }
    this.repos.set(did, { rev, data, commit, records, revs: revs.add(rev) });
    this.commits++;
  }

  async #takeMembership(bytes: Uint8Array): Promise<void> {
    const options = { service: NODE_DID, keys: this.#keys, previous: this.#head };
    const { entry, cid } = await verifyMembershipEntry(bytes, options);
    this.#head = { seq: entry.seq, cid };
    this.standings.set(entry.did, entry);
    this.memberships++;
  }
}

/** The frames of the node's stream after a position, as they come. */
async function* framesOf(node: DoomedNode, appView: Person, cursor: number) {
  const authorization = await appView.authorization(NODE_DID, nsid);
  const url = `${node.url.replace('http', 'ws')}/xrpc/${nsid}?cursor=${cursor}`;
  const socket = new WebSocket(url, { headers: { authorization } });
  const waiting: Buffer[] = [];
  let end: string | undefined;
  socket.on('message', (data: Buffer) => waiting.push(data));
  socket.on('close', (code) => {
    end ??= `closed with ${code}`;
  });
  socket.on('error', (error) => {
    end ??= error.message;
  });
  const deadline = Date.now() + PATIENCE_MS;
  try {
    for (;;) {
      const data = waiting.shift();
      if (data) {
        const [header, body] = [...decodeAll(data)] as [LexMap, LexMap];
        yield { type: String(header['t'] ?? body['error']), body };
      } else {
        if (end !== undefined) throw new Error(`the stream ended: ${end}`);
        if (Date.now() > deadline) throw new Error('the stream never came to its end');
        await sleep(2);
      }
    }
  } finally {
    socket.terminate();
  }
}
