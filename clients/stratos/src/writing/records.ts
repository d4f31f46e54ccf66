import { InvalidInputError, UnreachableError } from '../errors.ts';
import { expected, isText, procedure } from '../http/xrpc.ts';
import { type AtUri, isAtUri, parseAtUri } from '../identifiers.ts';
import type { Session } from '../session/session.ts';
import { nextTid } from './tid.ts';

/** One version of a record. */
export interface RecordRef {
  uri: AtUri;
  cid: string;
}

export interface NewRecord {
  collection: string;
  /** A new one unless told. */
  rkey?: string | undefined;
  /** With boundaries, all of the node of the session. */
  record: object;
}

/**
 * Writes a record to the repo of the person at their node. When nothing is answered it is sent once more,
 * which never writes it twice.
 *
 * @throws `RefusedError`, `UnreachableError`
 * @example
 * const record = {
 *   text: 'Of another shape.',
 *   boundary: { values: [{ value: boundary }] },
 *   createdAt: new Date().toISOString(),
 * };
 * console.log(await createRecord(session, { collection: 'zone.stratos.feed.post', record }));
 */
export async function createRecord(
  session: Session,
  { collection, rkey = nextTid(), record }: NewRecord,
): Promise<RecordRef> {
  const json = { repo: session.did, collection, rkey, record };
  const create = () => procedure(session, 'com.atproto.repo.createRecord', { json });
  const answer = await create().catch((error: unknown) => {
    if (error instanceof UnreachableError) return create();
    throw error;
  });
  return recordRef(answer);
}

export interface ReplacedRecord {
  uri: string;
  record: object;
  /** The CID that must be there; otherwise the node refuses with `InvalidSwap`. */
  swapCid?: string | undefined;
}

/**
 * Replaces a record of the person, or makes it.
 *
 * @throws `InvalidInputError`, `RefusedError`, `UnreachableError`
 * @example
 * const record = {
 *   text: 'In its place.',
 *   boundary: { values: [{ value: boundary }] },
 *   createdAt: new Date().toISOString(),
 * };
 * console.log(await putRecord(session, { uri, record }));
 */
export async function putRecord(
  session: Session,
  { uri, record, swapCid }: ReplacedRecord,
): Promise<RecordRef> {
  const json = { ...ownAddress(session, uri), record, swapRecord: swapCid };
  return recordRef(await procedure(session, 'com.atproto.repo.putRecord', { json }));
}

/**
 * Deletes a record of the person, with its content and its stub. It may be gone already.
 *
 * @throws `InvalidInputError`, `RefusedError`, `UnreachableError`
 * @example
 * const post = await writePost(session, { text: 'Soon gone.', boundaries: [boundary] });
 * await deleteRecord(session, post.uri);
 */
export async function deleteRecord(session: Session, uri: string): Promise<void> {
  await procedure(session, 'com.atproto.repo.deleteRecord', { json: ownAddress(session, uri) });
}

/** The address of a record of the person. Throws `InvalidInputError` `InvalidUri`, `OtherPerson`. */
export function ownAddress(session: Session, uri: string) {
  const { did, collection, rkey } = parseAtUri(uri);
  if (did === session.did) return { repo: did, collection, rkey };
  throw new InvalidInputError('OtherPerson', `${uri} is not of ${session.did}`);
}

function recordRef(answer: unknown): RecordRef {
  return { uri: expected(answer, 'uri', isAtUri), cid: expected(answer, 'cid', isText) };
}
