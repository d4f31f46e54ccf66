import { ifCid, type LexMap, type LexValue } from '@atproto/lex-data';
import { zone } from '../generated/index.ts';
import type { Attestation } from './attestation.ts';
import { type Boundary, isBoundary, MAX_ENROLLMENT_BOUNDARIES } from './boundary.ts';
import { type Did, type DidKey, isDidKey } from './identifiers.ts';

/** What a person's PDS says of an enrollment; see zone.stratos.actor.enrollment. */
export interface EnrollmentRecord {
  /** Public base URL of the node, without a trailing slash. */
  service: string;
  boundaries: Boundary[];
  /** The person's P-256 key at the node. */
  signingKey: DidKey;
  attestation: Attestation;
  createdAt: Date;
}

/** The record key of the enrollment with a node: its DID, with `%3A` written `:`. */
export function enrollmentRkey(nodeDid: Did): string {
  return nodeDid.replaceAll(/%3A/gi, ':');
}

export function buildEnrollmentRecord(record: EnrollmentRecord): LexMap {
  const { service, boundaries, signingKey, attestation, createdAt } = record;
  return {
    $type: zone.stratos.actor.enrollment.$nsid,
    service,
    boundaries: boundaries.map((value) => ({ value })),
    signingKey,
    attestation: { sig: attestation.sig, signingKey: attestation.signingKey },
    createdAt: createdAt.toISOString(),
  };
}

/**
 * Reads an enrollment record as leniently as older services wrote it: `sig` as bytes, as
 * `{$bytes}`, or as a map of numbers; boundaries that cannot be read are left out.
 *
 * @returns undefined when it lacks what makes an enrollment
 */
export function parseEnrollmentRecord(value: unknown): EnrollmentRecord | undefined {
  if (!isMap(value) || !isMap(value['attestation'])) return undefined;
  const { service, signingKey, createdAt, boundaries } = value;
  const nodeKey = value['attestation']['signingKey'];
  const sig = signatureOf(value['attestation']['sig']);
  if (typeof service !== 'string' || !URL.canParse(service)) return undefined;
  if (!isDidKey(signingKey) || !isDidKey(nodeKey) || !sig) return undefined;
  const enrolledAt = new Date(typeof createdAt === 'string' ? createdAt : Number.NaN);
  if (Number.isNaN(enrolledAt.getTime())) return undefined;
  return {
    service: service.replace(/\/$/, ''),
    boundaries: (Array.isArray(boundaries) ? boundaries : [])
      .slice(0, MAX_ENROLLMENT_BOUNDARIES)
      .map((item) => (isMap(item) ? item['value'] : undefined))
      .filter(isBoundary),
    signingKey,
    attestation: { sig, signingKey: nodeKey },
    createdAt: enrolledAt,
  };
}

/** A signature as bytes, as `{$bytes}`, or as a map of numbers. */
export function signatureOf(value: LexValue | undefined): Uint8Array | undefined {
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (!isMap(value)) return undefined;
  if (typeof value['$bytes'] === 'string') return Buffer.from(value['$bytes'], 'base64');
  const bytes = Object.values(value);
  const isByte = (byte: unknown) =>
    Number.isInteger(byte) && Number(byte) >= 0 && Number(byte) < 256;
  return bytes.length === 64 && bytes.every(isByte)
    ? Uint8Array.from(bytes as number[])
    : undefined;
}

function isMap(value: unknown): value is LexMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ifCid(value);
}
