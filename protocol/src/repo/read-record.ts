import type { LexMap } from '@atproto/lex-data';
import { type Boundary, recordBoundaries } from '../boundary.ts';
import { InvalidBoundaryError, ProofError, type ProofFailure } from '../errors.ts';
import type { Did } from '../identifiers.ts';
import { decodeCanonicalMap } from '../record.ts';

export interface RecordContent {
  bytes: Uint8Array;
  value: LexMap;
  boundaries: Boundary[];
}

export type ReadRecord =
  | { record: RecordContent; flaw?: undefined }
  /** It cannot be read though the repo has it; it counts as nobody's to see. */
  | { record: undefined; flaw: ProofFailure };

/**
 * What a record says whose bytes are proven. One that cannot be read must not keep the rest of its
 * repo from being followed.
 *
 * @param service - the node that it comes from; bare boundaries of old records are read as its own
 */
export function readRecord(bytes: Uint8Array, service: Did): ReadRecord {
  try {
    const value = decodeCanonicalMap(bytes);
    return { record: { bytes, value, boundaries: recordBoundaries(value, service) } };
  } catch (error) {
    if (error instanceof ProofError) return { record: undefined, flaw: error.reason };
    if (error instanceof InvalidBoundaryError) return { record: undefined, flaw: 'wrong-boundary' };
    throw error;
  }
}
