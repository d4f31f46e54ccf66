import { type Bytes, joinBytes, toBase64 } from './bytes.ts';
import { CID_LENGTH, cidText } from './cid.ts';
import { FlawError, must } from './flaw.ts';

/** A link to a block. */
export class Link {
  /** The text of its CID. */
  readonly cid: string;

  constructor(cid: string) {
    this.cid = cid;
  }
}

export type Value = null | boolean | number | string | Bytes | Link | Value[] | ValueMap;
export type ValueMap = Map<string, Value>;

/** Deeper than anything that is meant to be read. */
export const MAX_DEPTH = 64;
export const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE] = [0, 1, 2, 3, 4, 5, 6, 7];
export const LINK_TAG = 42;

/**
 * Reads the one DAG-CBOR encoding of a value, see https://ipld.io/specs/codecs/dag-cbor/spec/. Any other
 * encoding throws {@link FlawError}.
 */
export function decode(bytes: Bytes): Value {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** The same of a map. */
export function decodeMap(bytes: Bytes): ValueMap {
  const value = decode(bytes);
  must(value instanceof Map, 'not a map');
  return value;
}

/**
 * A map as it was before its signature was put in: its fields, and the bytes of it without `sig`, which is
 * what is signed.
 */
export function decodeSigned(bytes: Bytes): { fields: ValueMap; sig: Bytes; signed: Bytes } {
  const { sig, ...rest } = new Reader(bytes).signedMap();
  must(sig instanceof Uint8Array, 'not signed');
  return { ...rest, sig };
}

/** A value in the JSON of AT Protocol, see https://atproto.com/specs/data-model. */
export function toJson(value: Value): unknown {
  if (value instanceof Link) return { $link: value.cid };
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, toJson(item)]));
}

class Reader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  end(): void {
    must(this.#at === this.#bytes.length, 'something follows the value');
  }

  value(depth: number): Value {
    must(depth <= MAX_DEPTH, 'too deep');
    const { type, low } = this.#first();
    if (type === SIMPLE) return this.#simple(low);
    const number = this.#number(low);
    if (type === UNSIGNED) return number;
    if (type === NEGATIVE) return -1 - number;
    if (type === BYTES) return this.#take(number);
    if (type === TEXT) return this.#text(number);
    if (type === ARRAY) return Array.from(this.#upTo(number), () => this.value(depth + 1));
    if (type === MAP) return new Map(this.#entries(number, depth));
    must(type === TAG && number === LINK_TAG, 'an unknown tag');
    return this.#link();
  }

  signedMap() {
    const { type, low } = this.#first();
    must(type === MAP && low > 0 && low < 24, 'not a small map');
    const parts = [Uint8Array.of((MAP << 5) | (low - 1))];
    const fields: ValueMap = new Map();
    let sig: Value | undefined;
    let start = this.#at;
    for (const [key, value] of this.#entries(low, 0)) {
      if (key === 'sig') sig = value;
      else {
        fields.set(key, value);
        parts.push(this.#bytes.slice(start, this.#at));
      }
      start = this.#at;
    }
    this.end();
    return { fields, sig, signed: joinBytes(...parts) };
  }

  /** In the order of DAG-CBOR: shorter keys first, and no key twice. */
  *#entries(count: number, depth: number): Generator<[string, Value]> {
    let before: Bytes | undefined;
    for (const _ of this.#upTo(count)) {
      const { type, low } = this.#first();
      must(type === TEXT, 'a key is no text');
      const start = this.#at;
      const key = this.#text(this.#number(low));
      const bytes = this.#bytes.subarray(start, this.#at);
      must(!before || isInOrder(before, bytes), 'keys are not in order');
      before = bytes;
      yield [key, this.value(depth + 1)];
    }
  }

  #first() {
    const first = this.#take(1)[0] ?? 0;
    return { type: first >> 5, low: first & 31 };
  }

  /** The number in a head, in as few bytes as there are for it. */
  #number(low: number): number {
    if (low < 24) return low;
    must(low <= 27, 'of no length');
    const size = 1 << (low - 24);
    const at = this.#at;
    this.#take(size);
    const number = size === 8 ? this.#long(at) : this.#short(at, size);
    must(number >= (size === 1 ? 24 : 2 ** (size * 4)), 'longer than it needs to be');
    return number;
  }

  #short(at: number, size: number): number {
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #long(at: number): number {
    const number = Number(this.#view.getBigUint64(at));
    must(Number.isSafeInteger(number), 'too large');
    return number;
  }

  #simple(low: number): Value {
    if (low === 20 || low === 21) return low === 21;
    if (low === 22) return null;
    must(low === 27, 'nothing that DAG-CBOR has');
    const at = this.#at;
    this.#take(8);
    const number = this.#view.getFloat64(at);
    must(Number.isFinite(number), 'not a number');
    return number;
  }

  #text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(length));
    } catch (cause) {
      throw new FlawError('not UTF-8', { cause });
    }
  }

  #link(): Link {
    const { type, low } = this.#first();
    must(type === BYTES && this.#number(low) === CID_LENGTH + 1, 'not a link');
    const [zero, ...cid] = this.#take(CID_LENGTH + 1);
    const [version, codec, hash, length] = cid;
    const isKnown = version === 1 && (codec === 0x71 || codec === 0x55);
    must(zero === 0 && isKnown && hash === 0x12 && length === 32, 'not a link');
    return new Link(cidText(Uint8Array.from(cid)));
  }

  /** As many turns, each of which has at least a byte. */
  #upTo(count: number): { length: number } & Iterable<undefined> {
    must(count <= this.#bytes.length - this.#at, 'cut off');
    return Array.from({ length: count });
  }

  #take(length: number): Bytes {
    const start = this.#at;
    this.#at += length;
    must(this.#at <= this.#bytes.length, 'cut off');
    return this.#bytes.subarray(start, this.#at);
  }
}

/** Whether a key may follow another: the shorter first. */
export function isInOrder(before: Bytes, key: Bytes): boolean {
  if (before.length !== key.length) return before.length < key.length;
  const differs = key.findIndex((byte, i) => byte !== before[i]);
  return differs !== -1 && (before[differs] ?? 0) < (key[differs] ?? 0);
}
