/** What of a DID document is looked at, see https://www.w3.org/TR/did-1.0/. */
export interface DidDocument {
  id: string;
  verificationMethod?: readonly { type: string; publicKeyMultibase?: string }[];
}

/** The keys of a DID document as `did:key:…`: those that it has as `Multikey`. */
export function didDocumentKeys({ verificationMethod = [] }: DidDocument): string[] {
  return verificationMethod.flatMap(({ type, publicKeyMultibase }) =>
    type === 'Multikey' && publicKeyMultibase ? [`did:key:${publicKeyMultibase}`] : [],
  );
}
