import { NotFoundError } from '../errors.ts';
import type { Did } from '../identifiers.ts';
import { nodeEndpoint } from '../identity/did-document.ts';
import type { DidResolver } from '../identity/did-resolver.ts';

/** A service by its DID, and where its DID document says that it is. */
export interface Service {
  did: Did;
  /** Base URL, without a slash at its end. */
  url: string;
}

export interface FindNodeOptions {
  dids: DidResolver;
  /** The service of the DID document that is meant, as a stub has it. */
  fragment?: string | undefined;
}

/**
 * Where a node is.
 *
 * @throws {@link NotFoundError} `NodeNotFound` when its DID document names none
 * @example
 * const node = await findNode(nodeOfBoundaries([boundary]), { dids });
 * console.log(node.url);
 */
export async function findNode(did: Did, { dids, fragment }: FindNodeOptions): Promise<Service> {
  const document = await dids.resolve(did);
  const url = document && nodeEndpoint(document, fragment);
  if (!url) throw new NotFoundError('NodeNotFound', `${did} names no node`);
  return { did, url };
}
