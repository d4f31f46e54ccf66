import {
  type Did,
  type DidKey,
  type IdentityResolver,
  isDid,
  nodeEndpointOf,
  signingKeysOf,
} from '@stratos/protocol';

export interface NodeIdentity {
  did: Did;
  /** Base URL, without a trailing slash. */
  endpoint: string;
  /** Keys by which the node signs. */
  keys: DidKey[];
}

/** What stands at an address is no node, or not the node that it says. */
export class NodeIdentityError extends Error {
  override name = 'NodeIdentityError';
}

/** Who a node is, from its DID document as it is now. */
export async function resolveNode(identity: IdentityResolver, did: Did): Promise<NodeIdentity> {
  const document = await identity.didDocument(did, { refresh: true });
  const endpoint = document && nodeEndpointOf(document);
  const keys = document ? signingKeysOf(document) : [];
  if (!endpoint || keys.length === 0) {
    throw new NodeIdentityError('the DID document names no node');
  }
  return { did, endpoint, keys };
}

/**
 * The node behind the URL of an enrollment record. The URL says which DID it is, and the document of
 * that DID must name the URL as its own: neither can claim the other alone.
 */
export async function findNode(
  identity: IdentityResolver,
  serviceUrl: string,
): Promise<NodeIdentity> {
  const response = await identity.fetch(new URL('/.well-known/did.json', serviceUrl));
  if (!response.ok) throw new NodeIdentityError('there is no node at the address');
  const { id } = (await response.json()) as { id?: unknown };
  if (!isDid(id)) throw new NodeIdentityError('there is no node at the address');
  const node = await resolveNode(identity, id);
  if (!isSameUrl(node.endpoint, serviceUrl)) {
    throw new NodeIdentityError('the node names another address as its own');
  }
  return node;
}

function isSameUrl(left: string, right: string): boolean {
  return URL.canParse(left) && URL.canParse(right) && new URL(left).href === new URL(right).href;
}
