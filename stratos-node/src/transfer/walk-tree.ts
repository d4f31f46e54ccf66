import { decode } from '@atproto/lex-cbor';
import { type Cid as CidLink, ifCid, isPlainObject, type LexValue } from '@atproto/lex-data';
import { invalidCar } from './car-reader.ts';

export interface TreeLeaf {
  /** `{collection}/{rkey}` */
  key: string;
  value: CidLink;
}

type Item = TreeLeaf | { child: CidLink };

/** A key has no more than 128 pairs of bits, so no tree is higher than this. */
const MAX_DEPTH = 128;
const KEY = /^[a-zA-Z0-9_~\-:.]+\/[a-zA-Z0-9_~\-:.]+$/;

/**
 * The leaves below a node, in order; throws `InvalidCar` if something is missing or out of order.
 * Whether it is the one tree that these leaves have is not looked at.
 *
 * @param read - gives a block by the bytes of its CID
 */
export function* walkTree(
  root: CidLink,
  read: (cid: Uint8Array) => Uint8Array | undefined,
): Generator<TreeLeaf> {
  const path = [itemsOf(root, read)];
  let last = '';
  for (;;) {
    const items = path.at(-1);
    if (!items) return;
    const { value: item, done } = items.next();
    if (done) {
      path.pop();
    } else if ('child' in item) {
      if (path.length > MAX_DEPTH) throw invalidCar('the tree is too high');
      path.push(itemsOf(item.child, read));
    } else {
      // @NOTE also what keeps a node from being visited twice, and the walk from never ending
      if (item.key <= last) throw invalidCar('the keys of the tree are not in order');
      last = item.key;
      yield item;
    }
  }
}

function* itemsOf(
  cid: CidLink,
  read: (cid: Uint8Array) => Uint8Array | undefined,
): Generator<Item, undefined> {
  const bytes = read(cid.bytes);
  if (!bytes) throw invalidCar('a node of the tree is missing');
  const { l: left, e: entries } = nodeOf(bytes);
  if (left !== null) yield { child: linkOf(left) };
  if (!Array.isArray(entries)) throw malformed();
  let key = '';
  for (const entry of entries) {
    if (!isPlainObject(entry)) throw malformed();
    const { p: shared, k: rest, v: value, t: right } = entry;
    if (typeof shared !== 'number' || !(rest instanceof Uint8Array)) throw malformed();
    key = key.slice(0, shared) + Buffer.from(rest).toString('latin1');
    if (!KEY.test(key)) throw invalidCar('a key of the tree is not valid');
    yield { key, value: linkOf(value) };
    if (right !== null) yield { child: linkOf(right) };
  }
  return undefined;
}

function nodeOf(bytes: Uint8Array): { l?: LexValue; e?: LexValue } {
  try {
    const node = decode(bytes);
    if (isPlainObject(node)) return node;
  } catch (cause) {
    throw invalidCar('a node of the tree cannot be read', cause);
  }
  throw malformed();
}

function linkOf(value: LexValue | undefined): CidLink {
  const cid = ifCid(value);
  if (!cid) throw malformed();
  return cid;
}

function malformed() {
  return invalidCar('a node of the tree cannot be read');
}
