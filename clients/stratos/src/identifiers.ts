import { InvalidInputError } from './errors.ts';

export type Did = `did:${string}:${string}`;
/** The address of a record: `at://{did}/{collection}/{rkey}`. */
export type AtUri = `at://${Did}/${string}/${string}`;

const DID = /^did:[a-z]+:[\w.:%-]{1,2000}(?<![:%])$/;
const NSID = /^[a-zA-Z][\w-]*(\.[a-zA-Z][\w-]*){2,}$/;
const RECORD_KEY = /^(?!\.{1,2}$)[\w.:~-]{1,512}$/;

export function isDid(value: unknown): value is Did {
  return typeof value === 'string' && DID.test(value);
}

/** True for the address of one record, with a DID and not a handle. */
export function isAtUri(value: unknown): value is AtUri {
  if (typeof value !== 'string' || !value.startsWith('at://')) return false;
  const [did, collection = '', rkey = '', ...rest] = value.slice('at://'.length).split('/');
  return isDid(did) && NSID.test(collection) && RECORD_KEY.test(rkey) && rest.length === 0;
}

export interface RecordAddress {
  did: Did;
  collection: string;
  rkey: string;
}

/** The parts of the address of a record. Throws {@link InvalidInputError} `InvalidUri`. */
export function parseAtUri(uri: string): RecordAddress {
  if (!isAtUri(uri)) throw new InvalidInputError('InvalidUri', `${uri} is no address of a record`);
  const [did, collection = '', rkey = ''] = uri.slice('at://'.length).split('/');
  if (!isDid(did)) throw new InvalidInputError('InvalidUri', `${uri} has no DID`);
  return { did, collection, rkey };
}
