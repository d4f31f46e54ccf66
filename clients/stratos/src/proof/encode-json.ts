import { fieldOf } from '../http/fields.ts';
import { type Bytes, bytesOf, fromBase64, joinBytes } from './bytes.ts';
import { cidBytes } from './cid.ts';
import {
  ARRAY,
  BYTES,
  isInOrder,
  LINK_TAG,
  MAP,
  MAX_DEPTH,
  NEGATIVE,
  SIMPLE,
  TAG,
  TEXT,
  UNSIGNED,
} from './dag-cbor.ts';
import { must } from './flaw.ts';

const [FALSE, TRUE, NULL] = [20, 21, 22];

/**
 * The DAG-CBOR of a value in the JSON of AT Protocol, see https://atproto.com/specs/data-model. What has none
 * throws `FlawError`.
 */
export function encodeJson(json: unknown): Bytes {
  return encode(json, 0);
}

function encode(json: unknown, depth: number): Bytes {
  must(depth <= MAX_DEPTH, 'too deep');
  if (json === null) return head(SIMPLE, NULL);
  if (typeof json === 'boolean') return head(SIMPLE, json ? TRUE : FALSE);
  if (typeof json === 'string') return sized(TEXT, new TextEncoder().encode(json));
  if (typeof json === 'number') {
    must(Number.isSafeInteger(json), 'not a whole number');
    return json < 0 ? head(NEGATIVE, -1 - json) : head(UNSIGNED, json);
  }
  if (Array.isArray(json)) {
    return joinBytes(head(ARRAY, json.length), ...json.map((item) => encode(item, depth + 1)));
  }
  must(typeof json === 'object', 'nothing that JSON has');
  return special(json) ?? encodeMap(json, depth);
}

/** A link or bytes, if it is that. */
function special(json: object): Bytes | undefined {
  const [name = '', ...others] = Object.keys(json);
  const text = fieldOf(json, name);
  if (others.length > 0 || typeof text !== 'string') return undefined;
  const bytes = name === '$bytes' ? fromBase64(text) : undefined;
  if (bytes) return sized(BYTES, bytes);
  const cid = name === '$link' ? cidBytes(text) : undefined;
  return cid && joinBytes(head(TAG, LINK_TAG), sized(BYTES, joinBytes(Uint8Array.of(0), cid)));
}

function encodeMap(json: object, depth: number): Bytes {
  const entries = Object.entries(json).map(([name, value]) => {
    return { key: new TextEncoder().encode(name), value };
  });
  entries.sort((a, b) => (isInOrder(a.key, b.key) ? -1 : 1));
  const parts = entries.flatMap(({ key, value }) => [sized(TEXT, key), encode(value, depth + 1)]);
  return joinBytes(head(MAP, entries.length), ...parts);
}

function sized(type: number, bytes: Bytes): Bytes {
  return joinBytes(head(type, bytes.length), bytes);
}

/** What begins a value: its type and a number, in as few bytes as there are for it. */
function head(type: number, number: number): Bytes {
  if (number < 24) return Uint8Array.of((type << 5) | number);
  const power = [0, 1, 2].find((each) => number < 2 ** (8 << each)) ?? 3;
  return joinBytes(Uint8Array.of((type << 5) | (24 + power)), bytesOf(BigInt(number), 1 << power));
}
