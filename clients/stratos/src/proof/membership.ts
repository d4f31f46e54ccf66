import type { Bytes } from './bytes.ts';
import { decodeSigned } from './dag-cbor.ts';
import { must } from './flaw.ts';
import { isSignedBy } from './signature.ts';

const NAMES = ['seq', 'prev', 'service', 'did', 'active', 'boundaries', 'signingKey', 'issuedAt'];

export interface ExpectedMembership {
  /** The node whose word it is to be. */
  node: string;
  /** The keys that the node has or had. */
  nodeKeys: readonly string[];
  /** The person. */
  did: string;
  /** The person's key at the node. */
  signingKey: string;
}

/** Checks that a node states that a key is the key of one of its members. Throws a `FlawError`. */
export async function checkMembership(
  entry: Bytes,
  { node, nodeKeys, did, signingKey }: ExpectedMembership,
): Promise<void> {
  const { fields, signed, sig } = decodeSigned(entry);
  must(
    [...fields.keys()].every((name) => NAMES.includes(name)),
    'not a membership entry',
  );
  must(fields.get('service') === node, 'the entry is of another node');
  must(fields.get('did') === did && fields.get('active') === true, 'not about a member');
  must(fields.get('signingKey') === signingKey, 'the entry names another key');
  const boundaries = fields.get('boundaries');
  must(Array.isArray(boundaries), 'not a membership entry');
  const isOfNode = (value: unknown) => typeof value === 'string' && value.startsWith(`${node}/`);
  must(boundaries.every(isOfNode), 'the entry grants a boundary of another node');
  const signers = await Promise.all(nodeKeys.map((key) => isSignedBy(key, signed, sig)));
  must(signers.includes(true), 'the entry is not signed by the node');
}
