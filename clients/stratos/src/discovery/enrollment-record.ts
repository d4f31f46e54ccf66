import { fieldOf, listOf, textOf } from '../http/fields.ts';
import { type Did, isDid } from '../identifiers.ts';
import { fromBase64 } from '../proof/bytes.ts';
import { type Boundary, isBoundary } from '../routing/boundary.ts';

/** What a record on a person's PDS says of an enrollment: a hint, which the node confirms. */
export interface EnrollmentRecord {
  rkey: string;
  /** The node: by the record key, or in older records by its boundaries or address. */
  nodeDid: Did;
  /** The address of the node as the record has it. Tokens go where the node's DID document says. */
  service: string;
  boundaries: Boundary[];
  /** The person's key at the node, `did:key:…`. */
  signingKey: string;
  attestation: {
    /** The node's key, `did:key:…`. */
    signingKey: string;
    sig: Uint8Array<ArrayBuffer>;
  };
  createdAt: Date;
}

/** The record key of the enrollment with a node. */
export function enrollmentRkey(nodeDid: Did): string {
  return nodeDid.replaceAll(/%3A/gi, ':');
}

/** Reads an enrollment record as older services wrote it, too. Undefined where it lacks what makes one. */
export function parseEnrollmentRecord(rkey: string, value: unknown): EnrollmentRecord | undefined {
  const attestation = fieldOf(value, 'attestation');
  const sig = signatureOf(fieldOf(attestation, 'sig'));
  const [signingKey, nodeKey] = [textOf(value, 'signingKey'), textOf(attestation, 'signingKey')];
  const service = textOf(value, 'service')?.replace(/\/$/, '');
  const createdAt = new Date(textOf(value, 'createdAt') ?? Number.NaN);
  const boundaries = listOf(value, 'boundaries')
    .map((item) => fieldOf(item, 'value'))
    .filter(isBoundary);
  if (!sig || !signingKey || !nodeKey || Number.isNaN(createdAt.getTime())) return undefined;
  if (!service || !URL.canParse(service)) return undefined;
  const nodeDid = nodeDidOf(rkey) ?? onlyNodeOf(boundaries) ?? webDidOf(service);
  if (!nodeDid) return undefined;
  const attested = { signingKey: nodeKey, sig };
  return { rkey, nodeDid, service, boundaries, signingKey, attestation: attested, createdAt };
}

/** A port is written with `:` in record keys, and with `%3A` in DIDs. */
function nodeDidOf(rkey: string): Did | undefined {
  const did = rkey.replace(/^(did:web:[^:]+):(\d+)$/, '$1%3A$2');
  return isDid(did) ? did : undefined;
}

function onlyNodeOf(boundaries: readonly Boundary[]): Did | undefined {
  const nodes = new Set(boundaries.map((boundary) => boundary.slice(0, boundary.indexOf('/'))));
  const [node] = nodes;
  return nodes.size === 1 && isDid(node) ? node : undefined;
}

function webDidOf(service: string): Did | undefined {
  const did = `did:web:${encodeURIComponent(new URL(service).host)}`;
  return isDid(did) ? did : undefined;
}

/** 64 bytes, as `{$bytes}` or as a map of numbers. */
function signatureOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  const text = textOf(value, '$bytes');
  const bytes = text === undefined ? numbersOf(value) : fromBase64(text);
  return bytes?.length === 64 ? bytes : undefined;
}

function numbersOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const isByte = (byte: unknown): byte is number =>
    typeof byte === 'number' && Number.isInteger(byte) && byte >= 0 && byte < 256;
  const numbers: unknown[] = Object.values(value);
  return numbers.every(isByte) ? Uint8Array.from(numbers) : undefined;
}
