import { InvalidInputError } from '../errors.ts';
import { fieldOf } from '../http/fields.ts';
import { expected, isText, query } from '../http/xrpc.ts';
import { nodeOfBoundaries } from '../routing/boundary.ts';
import type { Session } from '../session/session.ts';
import { embedOf, type Shown } from './embed.ts';
import {
  type Facet,
  type FindFacetsOptions,
  findFacets,
  graphemeLength,
  utf8Length,
} from './facets.ts';
import { createRecord, deleteRecord, ownAddress, putRecord, type RecordRef } from './records.ts';

/** What somebody writes. Up to 300 graphemes and 3,000 bytes. */
export interface Draft extends Shown, FindFacetsOptions {
  text: string;
  /** Who may read it: up to ten boundaries, all of the node of the session. */
  boundaries: readonly string[];
  /** Found in the text unless told. */
  facets?: readonly Facet[] | undefined;
  /** The post that it answers, and the first of the conversation unless that is the same. */
  reply?: { parent: RecordRef; root?: RecordRef | undefined } | undefined;
  /** Up to three languages, such as `en`. */
  langs?: readonly string[] | undefined;
  /** Now unless told. */
  createdAt?: Date | undefined;
}

const COLLECTION = 'zone.stratos.feed.post';
const MAX_GRAPHEMES = 300;
const MAX_BYTES = 3_000;
const MAX_BOUNDARIES = 10;

/**
 * Writes a post. Once this resolves it is durable; a gateway has it a moment later, see `waitUntilVisible`.
 *
 * @throws {@link InvalidInputError} `NoBoundary`, `InvalidBoundary`, `SeveralNodes`, `OtherNode`, `TooMany`,
 * `TooLong`; `RefusedError`; `UnreachableError`
 * @example
 * const first = await writePost(session, { text: 'For @rei.test #steel', boundaries: [boundary], handles });
 * await writePost(session, { text: 'And more.', boundaries: [boundary], reply: { parent: first } });
 */
export async function writePost(session: Session, draft: Draft): Promise<RecordRef> {
  const { boundaries, reply, langs, createdAt = new Date() } = draft;
  const embed = embedOf(draft);
  const record = {
    $type: COLLECTION,
    boundary: boundaryOf(session, boundaries),
    ...(await textOf(draft)),
    ...(reply && { reply: replyOf(reply) }),
    ...(embed && { embed }),
    ...(langs && { langs }),
    createdAt: createdAt.toISOString(),
  };
  return createRecord(session, { collection: COLLECTION, record });
}

/** What becomes different; the rest stays. */
export interface Edit extends FindFacetsOptions {
  text?: string | undefined;
  facets?: readonly Facet[] | undefined;
  boundaries?: readonly string[] | undefined;
}

/**
 * Changes a post of the person.
 *
 * @throws as {@link writePost}; `RefusedError` `InvalidSwap` when it was changed by something else meanwhile
 * @example
 * const post = await writePost(session, { text: 'Frist.', boundaries: [boundary] });
 * await editPost(session, post.uri, { text: 'First.' });
 */
export async function editPost(session: Session, uri: string, edit: Edit): Promise<RecordRef> {
  const params = ownAddress(session, uri);
  const { text, facets, handles, boundaries } = edit;
  const changes = {
    ...(text !== undefined && (await textOf({ text, facets, handles }))),
    ...(boundaries && { boundary: boundaryOf(session, boundaries) }),
  };
  const answer = await query(session, 'com.atproto.repo.getRecord', { params });
  const { facets: before, ...kept } = expected(answer, 'value', isRecord);
  const unchanged = text === undefined && before !== undefined ? { facets: before } : {};
  const record = { ...kept, ...unchanged, ...changes };
  return putRecord(session, { uri, record, swapCid: expected(answer, 'cid', isText) });
}

/**
 * Deletes a post of the person, with its words, its images and its stub. It may be gone already.
 *
 * @throws `InvalidInputError`, `RefusedError`, `UnreachableError`
 * @example
 * const post = await writePost(session, { text: 'Not for long.', boundaries: [boundary] });
 * await deletePost(session, post.uri);
 */
export async function deletePost(session: Session, uri: string): Promise<void> {
  await deleteRecord(session, uri);
}

async function textOf({ text, facets, handles }: Pick<Draft, 'text' | 'facets' | 'handles'>) {
  if (graphemeLength(text) > MAX_GRAPHEMES || utf8Length(text) > MAX_BYTES) {
    throw new InvalidInputError(
      'TooLong',
      `a post has up to ${MAX_GRAPHEMES} graphemes and ${MAX_BYTES} bytes`,
    );
  }
  const found = facets ?? (await findFacets(text, { handles }));
  return found.length > 0 ? { text, facets: found } : { text };
}

function boundaryOf(session: Session, boundaries: readonly string[]) {
  if (nodeOfBoundaries(boundaries) !== session.service.did) {
    throw new InvalidInputError('OtherNode', 'the boundaries are not of the node of the session');
  }
  if (boundaries.length > MAX_BOUNDARIES) {
    throw new InvalidInputError('TooMany', `a post has up to ${MAX_BOUNDARIES} boundaries`);
  }
  const values = boundaries.map((value) => ({ value }));
  return { $type: 'zone.stratos.boundary.defs#Domains', values };
}

function replyOf({ parent, root = parent }: NonNullable<Draft['reply']>) {
  const refOf = ({ uri, cid }: RecordRef): RecordRef => ({ uri, cid });
  return { root: refOf(root), parent: refOf(parent) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof fieldOf(value, '$type') === 'string';
}
