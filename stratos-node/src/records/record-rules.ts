import { isPlainObject, type LexMap, type LexValue } from '@atproto/lex-data';
import {
  type AtUri,
  type Boundary,
  boundaryNode,
  type Did,
  InvalidBoundaryError,
  isAtUri,
  isRecordKey,
  parseAtUri,
  recordBoundaries,
} from '@stratos/protocol';
import { app, zone } from '@stratos/protocol/lexicons';
import { NodeError } from '../node-error.ts';
import type { RecordLexicon } from './record-lexicons.ts';

const NAMESPACE = zone.stratos.actor.enrollment.$nsid.split('.').slice(0, 2).join('.');
const FOREIGN_NAMESPACE = app.bsky.embed.record.$nsid.split('.').slice(0, 2).join('.');
/** Bytes of a record, as stored. */
export const MAX_RECORD_BYTES = 128 * 1024;

/** Whether records of a collection are kept in repos here. */
export function isKeptCollection(collection: string): boolean {
  // @NOTE the enrollment is a public record of the PDS and must never be mistaken for a private one
  return (
    collection.startsWith(`${NAMESPACE}.`) && collection !== zone.stratos.actor.enrollment.$nsid
  );
}

/** Refuses collections that are not kept in repos here. */
export function checkCollection(collection: string): void {
  if (!isKeptCollection(collection)) throw new NodeError('InvalidCollection');
}

export function checkRecordKey(lexicon: RecordLexicon | undefined, rkey: string): void {
  const schema = lexicon?.keySchema;
  if (!isRecordKey(rkey) || schema?.safeValidate(rkey).success === false) {
    throw new NodeError('InvalidRequest', 'The record key is not one of this collection');
  }
}

/** The record with the types filled in that its place implies. Refuses a `$type` that contradicts it. */
export function typedRecord(collection: string, record: LexMap): LexMap {
  const { $type = collection, boundary } = record;
  if ($type !== collection) throw new NodeError('InvalidRecord', '$type is not the collection');
  const typed = { ...record, $type };
  if (!isMap(boundary)) return typed;
  return { ...typed, boundary: { $type: zone.stratos.boundary.defs.Domains.$type, ...boundary } };
}

/**
 * Checks a record against the lexicon of its collection. Where none is known it is taken as it is.
 *
 * @param validate - false skips the check, true requires a lexicon that is known
 */
export function checkLexicon(
  lexicon: RecordLexicon | undefined,
  record: LexMap,
  validate: boolean | undefined,
): 'valid' | 'unknown' {
  if (validate === false) return 'unknown';
  if (!lexicon) {
    if (validate)
      throw new NodeError('InvalidRecord', 'The lexicon of the collection is not known');
    return 'unknown';
  }
  const result = lexicon.safeValidate(record);
  if (!result.success) throw new NodeError('InvalidRecord', result.reason.message);
  return 'valid';
}

/** Refuses what only stubs may have, and what does not belong into private records. */
export function checkContent(record: LexMap): void {
  if (record['source'] !== undefined) {
    throw new NodeError('InvalidRecord', 'A full record has no source');
  }
  checkEmbed(record['embed']);
}

function checkEmbed(embed: LexValue | undefined): void {
  if (!isMap(embed)) return;
  const { record, media } = embed;
  if (isMap(record)) {
    const uris = [record['uri'], isMap(record['record']) ? record['record']['uri'] : undefined];
    if (uris.some((uri) => collectionOf(uri)?.startsWith(`${FOREIGN_NAMESPACE}.`))) {
      throw new NodeError('InvalidRecord', 'A public record cannot be embedded here');
    }
  }
  checkEmbed(media);
}

/** Addresses of the records that a reply is in answer to. Refuses those of other namespaces. */
export function replyTargets(record: LexMap): { parent: AtUri; root: AtUri } | undefined {
  const { reply } = record;
  if (reply === undefined) return undefined;
  if (!isMap(reply)) throw new NodeError('InvalidRecord', 'A reply must name what it answers');
  return { parent: replyTarget(reply['parent']), root: replyTarget(reply['root']) };
}

function replyTarget(target: LexValue | undefined): AtUri {
  const uri = isMap(target) ? target['uri'] : undefined;
  if (isAtUri(uri) && parseAtUri(uri).collection.startsWith(`${NAMESPACE}.`)) return uri;
  throw new NodeError(
    'InvalidRecord',
    'A reply must answer a private record, by the DID of its author',
  );
}

/** The boundaries of a record that is about to be written: some, of this node, and kept by it. */
export function writtenBoundaries(
  record: LexMap,
  node: { did: Did; boundaries: readonly Boundary[] },
): Boundary[] {
  const boundaries = readBoundaries(record, node.did);
  if (boundaries.length === 0) throw new NodeError('InvalidRecord', 'A record needs a boundary');
  const list = isMap(record['boundary']) ? record['boundary']['values'] : undefined;
  if (!Array.isArray(list) || list.length !== boundaries.length) {
    throw new NodeError('InvalidRecord', 'A boundary is named twice');
  }
  const isQualified = list.every((item) => isMap(item) && String(item['value']).includes('/'));
  if (!isQualified) throw new NodeError('InvalidRecord', 'A boundary must be qualified');
  for (const boundary of boundaries) {
    if (boundaryNode(boundary) !== node.did || !node.boundaries.includes(boundary)) {
      throw new NodeError('InvalidBoundary');
    }
  }
  return boundaries;
}

function readBoundaries(record: LexMap, nodeDid: Did): Boundary[] {
  try {
    return recordBoundaries(record, nodeDid);
  } catch (cause) {
    if (!(cause instanceof InvalidBoundaryError)) throw cause;
    throw new NodeError('InvalidRecord', cause.message, { cause });
  }
}

function collectionOf(uri: LexValue | undefined): string | undefined {
  return typeof uri === 'string' ? uri.match(/^at:\/\/[^/]+\/([^/]+)/)?.[1] : undefined;
}

function isMap(value: LexValue | undefined): value is LexMap {
  return isPlainObject(value);
}
