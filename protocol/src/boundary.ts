import type { LexMap } from '@atproto/lex-data';
import { InvalidBoundaryError } from './errors.ts';
import { type Branded, type Did, isDid } from './identifiers.ts';

/** A named audience of one node: `{nodeDid}/{name}`, compared byte for byte. */
export type Boundary = Branded<`${string}/${string}`, 'Boundary'>;

/** Boundaries that one record may carry. */
export const MAX_RECORD_BOUNDARIES = 10;
/** Boundaries that one enrollment may carry. */
export const MAX_ENROLLMENT_BOUNDARIES = 50;
const MAX_LENGTH = 253;
const NAME = /^[a-z0-9\-_.]{1,100}$/;

export function isBoundary(value: unknown): value is Boundary {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return false;
  const slash = value.indexOf('/');
  return slash > 0 && isDid(value.slice(0, slash)) && NAME.test(value.slice(slash + 1));
}

/** Throws {@link InvalidBoundaryError} for anything but a qualified boundary. */
export function toBoundary(value: unknown): Boundary {
  if (isBoundary(value)) return value;
  throw new InvalidBoundaryError('not a boundary of the form {nodeDid}/{name}');
}

/** The boundary that a node's operator calls `name`. Throws {@link InvalidBoundaryError}. */
export function qualifyBoundary(nodeDid: Did, name: string): Boundary {
  return toBoundary(`${nodeDid}/${name}`);
}

/** The node that a boundary belongs to. */
export function boundaryNode(boundary: Boundary): Did {
  return boundary.slice(0, boundary.indexOf('/')) as Did;
}

/** The name that the node's operator gave it. */
export function boundaryName(boundary: Boundary): string {
  return boundary.slice(boundary.indexOf('/') + 1);
}

/**
 * The boundaries that a record names, sorted, each once. Bare names of old records are qualified
 * with the DID of the node that serves them.
 *
 * @returns an empty list when the record has no `boundary`
 * @throws {@link InvalidBoundaryError} when it has one that cannot be read, or more than
 * {@link MAX_RECORD_BOUNDARIES}
 */
export function recordBoundaries(record: LexMap, nodeDid: Did): Boundary[] {
  const list = record['boundary'];
  if (list === undefined) return [];
  const values = isMap(list) ? list['values'] : undefined;
  if (!Array.isArray(values)) throw new InvalidBoundaryError('boundary.values must be a list');
  if (values.length > MAX_RECORD_BOUNDARIES) {
    throw new InvalidBoundaryError(`more than ${MAX_RECORD_BOUNDARIES} boundaries`);
  }
  const boundaries = values.map((item) => {
    const value = isMap(item) ? item['value'] : undefined;
    if (typeof value !== 'string') throw new InvalidBoundaryError('a boundary must have a value');
    return value.includes('/') ? toBoundary(value) : qualifyBoundary(nodeDid, value);
  });
  return sortedBoundaries(boundaries);
}

/** Each boundary once, in the order that signatures use. */
export function sortedBoundaries(boundaries: Iterable<Boundary>): Boundary[] {
  return [...new Set(boundaries)].sort();
}

function isMap(value: unknown): value is LexMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
