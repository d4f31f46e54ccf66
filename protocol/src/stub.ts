import type { LexMap } from '@atproto/lex-data';
import { type AtUri, type Cid, type Did, isAtUri, isCid, isDid } from './identifiers.ts';

/** What the public stub on a PDS says of a private record: a hint where to look, not a fact. */
export interface Stub {
  uri: AtUri;
  cid: Cid;
  /** The node that holds the record. */
  nodeDid: Did;
}

export interface BuildStubOptions extends Stub {
  /** The full record; nothing but its type and time is taken over. */
  record: LexMap;
  /** Fragment of the node's DID document that says how to reach it. */
  fragment?: string;
}

/** The stub to put on the PDS under the collection and record key of the full record. */
export function buildStub(options: BuildStubOptions): LexMap {
  const { record, uri, cid, nodeDid, fragment = 'atproto_pns' } = options;
  const createdAt = record['createdAt'];
  return {
    $type: record['$type'] ?? uri.split('/')[3],
    source: { vary: 'authenticated', subject: { uri, cid }, service: `${nodeDid}#${fragment}` },
    createdAt: typeof createdAt === 'string' ? createdAt : new Date().toISOString(),
  };
}

/** Reads a stub, or undefined for a record that is none. */
export function parseStub(record: unknown): Stub | undefined {
  const source = field(record, 'source');
  const subject = field(source, 'subject');
  const uri = field(subject, 'uri');
  const cid = field(subject, 'cid');
  const service = field(source, 'service');
  if (typeof field(source, 'vary') !== 'string' || typeof service !== 'string') return undefined;
  const nodeDid = service.split('#')[0];
  return isAtUri(uri) && isCid(cid) && isDid(nodeDid) ? { uri, cid, nodeDid } : undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}
