import { parseCid } from '@atproto/lex-data';
import {
  type Boundary,
  type Cid,
  type Did,
  encodeRecord,
  parseAtUri,
  SigningKey,
  signMembershipEntry,
} from '@stratos/protocol';
import { app, zone } from '@stratos/protocol/lexicons';
import { SignedRepo } from '@stratos/protocol/testing';
import { fileOf } from './files.ts';
import type { Member, Post } from './world.ts';

/** What posts refer to; nobody compares it. */
export const ANY_CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
export const STATED_AT = '2026-01-01T00:00:00.000Z';

export interface SignedPost {
  cid: Cid;
  record: Buffer;
  proof: { rev: string; commit: string; signingKey: string; car: Buffer } | undefined;
}

/** Signs what is in a world, and in others that it is in as well, in the names of all: each thing once. */
export class Signer {
  readonly #nodeKey = SigningKey.generate('secp256k1');
  readonly #repos = new Map<string, { repo: SignedRepo; keys: Set<string> }>();
  readonly #posts = new Map<Post, Promise<SignedPost>>();
  readonly #entries = new Map<Member, Promise<Buffer>>();
  #last: Promise<unknown> = Promise.resolve();

  post(post: Post): Promise<SignedPost> {
    const signed = this.#posts.get(post) ?? this.#sign(post);
    this.#posts.set(post, signed);
    return signed;
  }

  /** What the node states of a member. */
  entry(member: Member): Promise<Buffer> {
    const entry = this.#entries.get(member) ?? this.#state(member);
    this.#entries.set(member, entry);
    return entry;
  }

  /** The key of somebody at a node. */
  keyOf(author: Did, node: Did): string {
    return this.#repoOf(author, node).repo.key.did();
  }

  async #sign(post: Post): Promise<SignedPost> {
    const { bytes, cid } = await encodeRecord(recordOf(post));
    const record = Buffer.from(bytes);
    if (post.flaw === 'altered') record.write('!', record.indexOf(post.text));
    return { cid, record, proof: post.isProven ? await this.#prove(post, cid) : undefined };
  }

  /** Undefined where the repo has had another record there. */
  async #prove({ uri, author, node }: Post, cid: Cid): Promise<SignedPost['proof']> {
    const { collection, rkey } = parseAtUri(uri);
    const { repo, keys } = this.#repoOf(author, node);
    const key = `${collection}/${rkey}`;
    if (keys.has(key)) return undefined;
    keys.add(key);
    // One commit at a time.
    const commit = this.#last.then(() => repo.commit([[key, cid]]));
    this.#last = commit;
    const { car, ...rest } = await commit;
    return { ...rest, car: Buffer.from(car) };
  }

  async #state({ did, node: service, boundaries, isActive: active }: Member): Promise<Buffer> {
    const entry = { ...{ seq: 1, prev: undefined, service, did, active, boundaries } };
    const signingKey = this.#repoOf(did, service).repo.key.did();
    const issuedAt = new Date(STATED_AT);
    const { bytes } = await signMembershipEntry({ ...entry, signingKey, issuedAt }, this.#nodeKey);
    return Buffer.from(bytes);
  }

  #repoOf(author: Did, node: Did) {
    const place = `${node} ${author}`;
    const known = this.#repos.get(place) ?? { repo: new SignedRepo(author), keys: new Set() };
    this.#repos.set(place, known);
    return known;
  }
}

function recordOf(post: Post) {
  const { text, boundaries, at, parent } = post;
  const reference = (uri: string) => ({ uri, cid: ANY_CID });
  const embed = embedOf(post);
  return {
    $type: zone.stratos.feed.post.$nsid,
    text,
    ...(parent && { reply: { root: reference(parent), parent: reference(parent) } }),
    ...(embed && { embed }),
    boundary: {
      $type: 'zone.stratos.boundary.defs#Domains',
      values: boundaries.map((value: Boundary) => ({ value })),
    },
    createdAt: at.toISOString(),
  };
}

const { images, record, recordWithMedia } = app.bsky.embed;

function embedOf(post: Post) {
  const file = fileOf(post);
  const quoted = post.quote && {
    $type: record.$type,
    record: { uri: post.quote, cid: ANY_CID },
  };
  if (!file) return quoted;
  const { cid, bytes, mimeType } = file;
  const image = { $type: 'blob', ref: parseCid(cid), mimeType, size: bytes.length };
  const media = { $type: images.$type, images: [{ alt: '', image }] };
  return quoted ? { $type: recordWithMedia.$type, record: quoted, media } : media;
}
