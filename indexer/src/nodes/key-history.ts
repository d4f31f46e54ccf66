import { type IdentityResolver, type NodeKeyPeriod, verifyKeyHistory } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeIdentity } from './node-identity.ts';

const method = zone.stratos.identity.getKeyHistory;

/**
 * The keys that a node has signed with, proven by those of its DID document; undefined for a node that
 * publishes no history, whose present keys must then have signed everything.
 *
 * @throws ProofError for a history that does not hold
 */
export async function keyHistoryOf(
  identity: Pick<IdentityResolver, 'fetch'>,
  { did, endpoint, keys: currentKeys }: NodeIdentity,
): Promise<readonly NodeKeyPeriod[] | undefined> {
  const response = await identity.fetch(new URL(`/xrpc/${method.$nsid}`, endpoint));
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  const { keys } = (await response.json()) as { keys?: unknown };
  return verifyKeyHistory(Array.isArray(keys) ? keys : [], { did, currentKeys });
}
