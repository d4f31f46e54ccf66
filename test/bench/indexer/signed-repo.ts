import { TID } from '@atproto/common-web';
import { encode } from '@atproto/lex-cbor';
import { decodeCid, type LexMap } from '@atproto/lex-data';
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

interface Head {
  rev: string;
  commit: CidBytes;
  block: Uint8Array;
  data: CidBytes;
}

/** Somebody's repo, whose commits are made as a node makes them, and quickly. */
export class SignedRepo implements NodeSource {
  readonly did: Did;
  readonly key = SigningKey.generate('P-256');
  readonly #nodes = new Map<string, StoredNode>();
  #records: [CidBytes, Uint8Array][] = [];
  #head: Head | undefined;

  constructor(did: Did) {
    this.did = did;
  }

  /** The commit that adds posts, as a `#commit` event without its position. */
  async post(boundary: Boundary, texts: readonly string[]): Promise<LexMap> {
    const before = this.#head;
    const posts = texts.map((text) => postOf(boundary, text));
    const change = before ? new TreeChange(this, before.data) : TreeChange.ofNothing(this);
    for (const { path, cid } of posts) await change.put(path, cid, { isNew: true });
    const { root, newBlocks } = change.finish();
    for (const [, bytes] of newBlocks) this.keep(cidBytesOf(bytes), decodeNode(bytes));
    const head = await this.#sign(root, before?.rev);
    this.#records.push(...posts.map(({ cid, bytes }): [CidBytes, Uint8Array] => [cid, bytes]));

    const proof: TreeBlocks = new Map();
    for (const { path } of posts) await addCoveringProof(this, root, path, proof);
    const records = posts.map(({ cid, bytes }): [CidBytes, Uint8Array] => [cid, bytes]);
    return {
      did: this.did,
      time: new Date().toISOString(),
      rev: head.rev,
      ...(before && { since: before.rev, prevData: decodeCid(before.data) }),
      commit: decodeCid(head.commit),
      blocks: carOf(head, [...proof.values(), ...records]),
      ops: posts.map(({ path, cid }) => {
        return { action: 'create', path, cid: decodeCid(cid), boundaries: [boundary] };
      }),
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

function postOf(boundary: Boundary, text: string) {
  const bytes = encode({
    $type: COLLECTION,
    text,
    boundary: { $type: zone.stratos.boundary.defs.Domains.$type, values: [{ value: boundary }] },
    createdAt: new Date().toISOString(),
  });
  return { path: `${COLLECTION}/${TID.nextStr()}`, bytes, cid: cidBytesOf(bytes) };
}

function carOf(head: Head, blocks: readonly (readonly [CidBytes, Uint8Array])[]): Uint8Array {
  const car = new ProofCar(textOf(head.commit));
  car.add(head.commit, head.block);
  for (const [cid, bytes] of blocks) car.add(cid, bytes);
  return car.bytes();
}
