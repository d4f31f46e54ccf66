import { parseCid } from '@atproto/lex-data';
import {
  type AtUriString,
  type DidString,
  ensureValidRecordKey,
  isValidAtUri,
  isValidDid,
  isValidNsid,
  isValidTid,
  type TidString,
} from '@atproto/syntax';
import { InvalidIdentifierError } from './errors.ts';

declare const brand: unique symbol;
/** A string that was checked, and must not be mixed with strings checked for something else. */
export type Branded<Base extends string, Name extends string> = Base & { readonly [brand]: Name };

export type Did = Branded<DidString, 'Did'>;
export type AtUri = Branded<AtUriString, 'AtUri'>;
/** The text form of a CIDv1 with SHA-256, DAG-CBOR or raw. */
export type Cid = Branded<string, 'Cid'>;
export type Tid = Branded<TidString, 'Tid'>;
/** A public key as `did:key:…`. */
export type DidKey = Branded<`did:key:${string}`, 'DidKey'>;

export function isDid(value: unknown): value is Did {
  return typeof value === 'string' && !value.startsWith('did:key:') && isValidDid(value);
}

export function isDidKey(value: unknown): value is DidKey {
  return typeof value === 'string' && /^did:key:z[1-9A-HJ-NP-Za-km-z]{40,60}$/.test(value);
}

export function isCid(value: unknown): value is Cid {
  if (typeof value !== 'string') return false;
  try {
    return parseCid(value, { flavor: 'dasl' }).toString() === value;
  } catch {
    return false;
  }
}

export function isTid(value: unknown): value is Tid {
  return typeof value === 'string' && isValidTid(value);
}

/** True for the address of one record: DID authority, collection and record key, nothing more. */
export function isAtUri(value: unknown): value is AtUri {
  if (typeof value !== 'string' || !isValidAtUri(value)) return false;
  const [authority, collection, rkey, ...rest] = value.slice('at://'.length).split('/');
  if (!isDid(authority) || collection === undefined || rkey === undefined) return false;
  return rest.length === 0 && isValidNsid(collection) && isRecordKey(rkey);
}

export function isRecordKey(value: string): boolean {
  try {
    ensureValidRecordKey(value);
    return true;
  } catch {
    return false;
  }
}

function checked<T>(is: (value: unknown) => value is T, what: string) {
  return (value: unknown): T => {
    if (is(value)) return value;
    throw new InvalidIdentifierError(`not a valid ${what}`);
  };
}

/** Throws {@link InvalidIdentifierError}. */
export const toDid = checked(isDid, 'DID');
/** Throws {@link InvalidIdentifierError}. */
export const toDidKey = checked(isDidKey, 'did:key');
/** Throws {@link InvalidIdentifierError}. */
export const toCid = checked(isCid, 'CID');
/** Throws {@link InvalidIdentifierError}. */
export const toTid = checked(isTid, 'TID');
/** Throws {@link InvalidIdentifierError}. */
export const toAtUri = checked(isAtUri, 'AT-URI of a record');

/** The address of a record. The parts must have been checked. */
export function recordUri(did: Did, collection: string, rkey: string): AtUri {
  return toAtUri(`at://${did}/${collection}/${rkey}`);
}

/** The parts of a record's address. */
export function parseAtUri(uri: AtUri): { did: Did; collection: string; rkey: string } {
  const [did, collection, rkey] = uri.slice('at://'.length).split('/') as [Did, string, string];
  return { did, collection, rkey };
}
