import { TID } from '@atproto/common-web';
import { encode } from '@atproto/lex-cbor';
import { decodeCid, type LexMap, type LexValue } from '@atproto/lex-data';
import { type Boundary, type Did, ProofCar, SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import {
  addCoveringProof,
  type CidBytes,
  cidBytesOf,
  decodeNode,
  keyOf,
  MissingNodeError,
  type NodeSource,
  type StoredNode,
  type TreeBlocks,
  TreeChange,
  textOf,
} from '@stratos/protocol/tree';

const COLLECTION = zone.stratos.feed.post.$nsid;

export interface WrittenRecord {
  path: string;
  bytes: Uint8Array;
  cid: CidBytes;
}

/** What a commit says of a post that it has added. */
export interface PostOp {
  path: string;
  cid: LexValue;
  boundaries: Boundary[];
}

interface Head {
  rev: string;
  commit: CidBytes;
  block: Uint8Array;
  data: CidBytes;
}

/** Somebody's repo, whose commits are made as a node makes them, and quickly. */
export class SignedRepo implements NodeSource {
  readonly did: Did;
  readonly key: SigningKey;
  readonly #nodes = new Map<string, StoredNode>();
  #records: [CidBytes, Uint8Array][] = [];
  #head: Head | undefined;

  constructor(did: Did, key = SigningKey.generate('P-256')) {
    this.did = did;
    this.key = key;
  }

  get rev(): string | undefined {
    return this.#head?.rev;
  }

  /** The commit that adds posts, as a `#commit` event without its position. */
  async post(boundary: Boundary, texts: readonly string[]): Promise<LexMap> {
    const posts = texts.map((text) => postOf(boundary, text));
    const commit = await this.put(posts, { isNew: true });
    return {
      ...commit,
      ops: posts.map(({ path, cid }) => {
        return { action: 'create', path, cid: decodeCid(cid), boundaries: [boundary] };
      }),
    };
  }

  /** The commit that has a post in another boundary than before. */
  async move(
    { path, cid: prev, boundaries: prevBoundaries }: PostOp,
    to: Boundary,
  ): Promise<LexMap> {
    const { bytes, cid } = postOf(to, 'moved');
    const commit = await this.put([{ path, bytes, cid }], { isNew: false });
    const after = { cid: decodeCid(cid), boundaries: [to] };
    return { ...commit, ops: [{ action: 'update', path, prev, prevBoundaries, ...after }] };
  }

  /** The commit that takes a record away. */
  async remove({ path, cid: prev, boundaries: prevBoundaries }: PostOp): Promise<LexMap> {
    const commit = await this.#commit([path], [], (change) => change.remove(path));
    return { ...commit, ops: [{ action: 'delete', path, prev, prevBoundaries }] };
  }

  /** The commit that writes records, without its operations. */
  async put(records: readonly WrittenRecord[], { isNew }: { isNew: boolean }): Promise<LexMap> {
    const paths = records.map(({ path }) => path);
    return this.#commit(paths, records, async (change) => {
      for (const { path, cid } of records) await change.put(path, cid, { isNew });
    });
  }

  async #commit(
    paths: readonly string[],
    records: readonly WrittenRecord[],
    make: (change: TreeChange) => Promise<void>,
  ): Promise<LexMap> {
    const before = this.#head;
    const change = before ? new TreeChange(this, before.data) : TreeChange.ofNothing(this);
    await make(change);
    const { root, newBlocks } = change.finish();
    for (const [, bytes] of newBlocks) this.keep(cidBytesOf(bytes), decodeNode(bytes));
    const head = await this.#sign(root, before?.rev);
    const written = records.map(({ cid, bytes }): [CidBytes, Uint8Array] => [cid, bytes]);
    this.#records.push(...written);

    const proof: TreeBlocks = new Map();
    for (const path of paths) await addCoveringProof(this, root, path, proof);
    return {
      did: this.did,
      time: new Date().toISOString(),
      rev: head.rev,
      ...(before && { since: before.rev, prevData: decodeCid(before.data) }),
      commit: decodeCid(head.commit),
      blocks: carOf(head, [...proof.values(), ...written]),
    };
  }

  /** All of it, as `getRepo` gives it. */
  car(): Uint8Array {
    if (!this.#head) throw new Error('the repo has no commit');
    const nodes = [...this.#reachable(this.#head.data)];
    return carOf(this.#head, [...nodes, ...this.#records]);
  }

  async node(cid: CidBytes): Promise<StoredNode> {
    const node = this.#nodes.get(keyOf(cid));
    if (!node) throw new MissingNodeError('a node is missing');
    return node;
  }

  keep(cid: CidBytes, node: StoredNode): void {
    this.#nodes.set(keyOf(cid), node);
  }

  *#reachable(cid: CidBytes): Generator<[CidBytes, Uint8Array]> {
    const node = this.#nodes.get(keyOf(cid));
    if (!node) throw new MissingNodeError('a node is missing');
    yield [cid, node.bytes];
    if (node.left) yield* this.#reachable(node.left);
    for (const { right } of node.leaves) if (right) yield* this.#reachable(right);
  }

  async #sign(data: CidBytes, before: string | undefined): Promise<Head> {
    const rev = TID.nextStr(before);
    const unsigned = { did: this.did, version: 3, rev, prev: null, data: decodeCid(data) };
    const block = encode({ ...unsigned, sig: await this.key.sign(encode(unsigned)) });
    this.#head = { rev, data, block, commit: cidBytesOf(block) };
    return this.#head;
  }
}

function postOf(boundary: Boundary, text: string): WrittenRecord {
  return recordAt(`${COLLECTION}/${TID.nextStr()}`, {
    $type: COLLECTION,
    text,
    boundary: { $type: zone.stratos.boundary.defs.Domains.$type, values: [{ value: boundary }] },
    createdAt: new Date().toISOString(),
  });
}

/** A record as it is written. */
export function recordAt(path: string, record: LexMap): WrittenRecord {
  const bytes = encode(record);
  return { path, bytes, cid: cidBytesOf(bytes) };
}

function carOf(head: Head, blocks: readonly (readonly [CidBytes, Uint8Array])[]): Uint8Array {
  const car = new ProofCar(textOf(head.commit));
  car.add(head.commit, head.block);
  for (const [cid, bytes] of blocks) car.add(cid, bytes);
  return car.bytes();
}
