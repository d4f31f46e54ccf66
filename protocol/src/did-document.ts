import { type DidDocument, getDidKeyFromMultibase } from '@atproto/identity';
import { type Did, type DidKey, isDidKey } from './identifiers.ts';

export type { DidDocument };

const CONTEXT = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];

export interface NodeDidDocumentOptions {
  did: Did;
  /** Public base URL, without a trailing slash. */
  publicUrl: string;
  /** The node's secp256k1 key. */
  signingKey: DidKey;
  /** Fragment by which stubs name the node; `atproto_pns` unless the operator says otherwise. */
  fragment?: string;
}

/** What a node answers at `/.well-known/did.json`. */
export function nodeDidDocument(options: NodeDidDocumentOptions) {
  const { did, publicUrl, signingKey, fragment = 'atproto_pns' } = options;
  return {
    '@context': CONTEXT,
    id: did,
    verificationMethod: [multikey(did, 'atproto', signingKey), multikey(did, fragment, signingKey)],
    service: [
      { id: `#${fragment}`, type: 'AtprotoPrivateNamespaceService', serviceEndpoint: publicUrl },
      { id: '#stratos', type: 'StratosService', serviceEndpoint: publicUrl },
    ],
  };
}

/** What a gateway answers at `/.well-known/did.json`: the AppView that nodes and PDSs meet. */
export function appViewDidDocument(options: Omit<NodeDidDocumentOptions, 'fragment'>) {
  const { did, publicUrl, signingKey } = options;
  return {
    '@context': CONTEXT,
    id: did,
    verificationMethod: [multikey(did, 'atproto', signingKey)],
    service: [{ id: '#stratos_gateway', type: 'StratosGateway', serviceEndpoint: publicUrl }],
  };
}

/** The keys by which a node may have signed: `#atproto` and the fragments that nodes use. */
export function signingKeysOf(document: DidDocument, fragment = 'atproto_pns'): DidKey[] {
  const keys = ['atproto', fragment].map((id) => keyOf(document, id));
  return [...new Set(keys.filter((key) => key !== undefined))];
}

/** The `#atproto` key, by which a DID signs commits and service-auth. */
export function atprotoKeyOf(document: DidDocument): DidKey | undefined {
  return keyOf(document, 'atproto');
}

/** Base URL of the node that a DID document describes, without a trailing slash. */
export function nodeEndpointOf(
  document: DidDocument,
  fragment = 'atproto_pns',
): string | undefined {
  return endpointOf(document, fragment) ?? endpointOf(document, 'stratos');
}

/** Base URL of a person's PDS. */
export function pdsEndpointOf(document: DidDocument): string | undefined {
  return endpointOf(document, 'atproto_pds');
}

/** The handle that a DID document claims, which its domain has yet to confirm. */
export function handleOf(document: DidDocument): string | undefined {
  return document.alsoKnownAs?.find((name) => name.startsWith('at://'))?.slice('at://'.length);
}

function multikey(did: Did, fragment: string, key: DidKey) {
  return {
    id: `${did}#${fragment}`,
    type: 'Multikey',
    controller: did,
    publicKeyMultibase: key.slice('did:key:'.length),
  };
}

function keyOf(document: DidDocument, fragment: string): DidKey | undefined {
  const method = document.verificationMethod?.find(
    ({ id }) => id === `#${fragment}` || id === `${document.id}#${fragment}`,
  );
  if (!method?.publicKeyMultibase) return undefined;
  const { type, publicKeyMultibase } = method;
  const key =
    type === 'Multikey'
      ? `did:key:${publicKeyMultibase}`
      : didKeyOf2019({ type, publicKeyMultibase });
  return isDidKey(key) ? key : undefined;
}

/** Reads the two types of key of 2019, with which older directories still answer. */
function didKeyOf2019(method: { type: string; publicKeyMultibase: string }): string | undefined {
  try {
    return getDidKeyFromMultibase(method);
  } catch {
    return undefined;
  }
}

function endpointOf(document: DidDocument, fragment: string): string | undefined {
  const service = document.service?.find(
    ({ id }) => id === `#${fragment}` || id === `${document.id}#${fragment}`,
  );
  const endpoint = service?.serviceEndpoint;
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined;
  return endpoint.replace(/\/$/, '');
}
