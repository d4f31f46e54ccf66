import { encode } from '@atproto/lex-cbor';
import { decodeCid, parseCid } from '@atproto/lex-data';
import { type Cid, type Did, toTid } from '../identifiers.ts';
import { ProofCar } from '../repo/proof-car.ts';
import { SigningKey } from '../signing-key.ts';
import {
  type CidBytes,
  cidBytesOf,
  decodeNode,
  keyOf,
  MissingNodeError,
  pathTo,
  TreeChange,
  textOf,
} from '../tree/index.ts';

/** 1 November 2024, in microseconds, and a clock of its own. */
const FIRST_REV = 1_730_419_200_000_000n << 10n;
const SORTABLE = '234567abcdefghijklmnopqrstuvwxyz';
const sortable = (digit: string) => SORTABLE[Number.parseInt(digit, 32)] ?? '';

/** The repo of somebody at a node, in memory. */
export class SignedRepo {
  readonly key = SigningKey.generate('P-256');
  readonly #did: Did;
  readonly #nodes = new Map<string, Uint8Array>();
  #root: CidBytes | undefined;
  #revs = 0n;

  constructor(did: Did) {
    this.#did = did;
  }

  /** Writes records, by `{collection}/{rkey}`, in one commit. */
  async commit(records: Iterable<readonly [key: string, cid: Cid]>) {
    const source = { node: async (cid: CidBytes) => this.#node(cid) };
    const change = this.#root ? new TreeChange(source, this.#root) : TreeChange.ofNothing(source);
    const keys: string[] = [];
    for (const [key, cid] of records) {
      await change.put(key, parseCid(cid).bytes, { isNew: true });
      keys.push(key);
    }
    const { root, newBlocks } = change.finish();
    for (const [, bytes] of newBlocks) this.#nodes.set(keyOf(cidBytesOf(bytes)), bytes);
    this.#root = root;
    return this.#sign(root, keys);
  }

  /** A commit, and a CAR of it with the way to some keys, as AppViews keep it. */
  async #sign(root: CidBytes, keys: readonly string[]) {
    const rev = toTid((this.#revs++ + FIRST_REV).toString(32).replaceAll(/./g, sortable));
    const unsigned = { did: this.#did, version: 3, data: decodeCid(root), rev, prev: null };
    const block = encode({ ...unsigned, sig: await this.key.sign(encode(unsigned)) });
    const commit: Cid = textOf(cidBytesOf(block));
    const car = new ProofCar(commit);
    car.add(cidBytesOf(block), block);
    const nodes = new Map<string, [CidBytes, Uint8Array]>();
    for (const key of keys) {
      const path = await pathTo({ node: async (cid) => this.#node(cid) }, root, key);
      for (const node of path?.nodes ?? []) nodes.set(keyOf(node[0]), node);
    }
    for (const node of nodes.values()) car.add(...node);
    return { rev, commit, signingKey: this.key.did(), car: car.bytes() };
  }

  #node(cid: CidBytes) {
    const bytes = this.#nodes.get(keyOf(cid));
    if (!bytes) throw new MissingNodeError('a node of the tree is missing');
    return decodeNode(bytes);
  }
}
