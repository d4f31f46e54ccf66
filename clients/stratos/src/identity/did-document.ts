/** What of a DID document is looked at, see https://www.w3.org/TR/did-1.0/. */
export interface DidDocument {
  id: string;
  alsoKnownAs?: readonly string[];
  verificationMethod?: readonly { type: string; publicKeyMultibase?: string }[];
  service?: readonly { id: string; serviceEndpoint: unknown }[];
}

/**
 * The keys of a DID document as `did:key:…`: those that it has as `Multikey`.
 *
 * @example
 * const document = await dids.resolve(nodeDid);
 * console.log(document && didDocumentKeys(document));
 */
export function didDocumentKeys({ verificationMethod = [] }: DidDocument): string[] {
  return verificationMethod.flatMap(({ type, publicKeyMultibase }) =>
    type === 'Multikey' && publicKeyMultibase ? [`did:key:${publicKeyMultibase}`] : [],
  );
}

/** The base URL of a person's PDS, without a slash at its end. */
export function pdsEndpoint(document: DidDocument): string | undefined {
  return endpointOf(document, ['atproto_pds']);
}

/**
 * The base URL of a node. `fragment` is the one by which a stub names it, if it does.
 *
 * @example
 * const document = await dids.resolve(nodeDid);
 * console.log(document && nodeEndpoint(document, 'atproto_pns'));
 */
export function nodeEndpoint(document: DidDocument, fragment?: string): string | undefined {
  return endpointOf(document, [...(fragment ? [fragment] : []), 'atproto_pns', 'stratos']);
}

/**
 * The base URL of a gateway.
 *
 * @example
 * const document = await dids.resolve(gateway.did);
 * console.log(document && gatewayEndpoint(document));
 */
export function gatewayEndpoint(document: DidDocument): string | undefined {
  return endpointOf(document, ['stratos_gateway']);
}

/**
 * The handle that a DID document claims, which its domain has yet to confirm.
 *
 * @example
 * const document = await dids.resolve(did);
 * console.log(document && claimedHandle(document));
 */
export function claimedHandle({ alsoKnownAs = [] }: DidDocument): string | undefined {
  return alsoKnownAs.find((name) => name.startsWith('at://'))?.slice('at://'.length);
}

function endpointOf({ id, service = [] }: DidDocument, names: string[]): string | undefined {
  for (const name of names) {
    const found = service.find((each) => each.id === `#${name}` || each.id === `${id}#${name}`);
    const endpoint = found?.serviceEndpoint;
    if (typeof endpoint === 'string' && isWebUrl(endpoint)) return endpoint.replace(/\/$/, '');
  }
  return undefined;
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
