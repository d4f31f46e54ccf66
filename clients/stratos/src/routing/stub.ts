import { fieldOf, textOf } from '../http/fields.ts';
import { type AtUri, type Did, isAtUri, isDid } from '../identifiers.ts';

/** What a public record says of a private one: a hint where to look, not a fact. */
export interface Stub {
  uri: AtUri;
  /** Of the private record. */
  cid: string;
  node: Did;
  /** The service of the node's DID document that is meant, if the stub says so. */
  fragment: string | undefined;
}

const CID = /^b[a-z2-7]{58}$/;

/**
 * Reads the stub that a record on a PDS is; undefined for every other record.
 *
 * @example
 * const stub = parseStub({
 *   source: {
 *     vary: 'authenticated',
 *     subject: {
 *       uri: `at://${did}/zone.stratos.feed.post/3l2eoxvkq7c2y`,
 *       cid: 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
 *     },
 *     service: `${nodeDid}#atproto_pns`,
 *   },
 * });
 * console.log(stub?.node === nodeDid);
 */
export function parseStub(record: unknown): Stub | undefined {
  const source = fieldOf(record, 'source');
  const subject = fieldOf(source, 'subject');
  const [uri, cid] = [textOf(subject, 'uri'), textOf(subject, 'cid')];
  const [node, fragment] = textOf(source, 'service')?.split('#') ?? [];
  if (textOf(source, 'vary') === undefined || !isDid(node)) return undefined;
  return isAtUri(uri) && cid && CID.test(cid) ? { uri, cid, node, fragment } : undefined;
}
