import assert from 'node:assert/strict';
import { type DidKey, isDidKey, ProofError, SigningKey, verifyKeyHistory } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { RemoteNode } from '../world/node.ts';

const { getKeyHistory } = zone.stratos.identity;
type Output = zone.stratos.identity.getKeyHistory.$OutputBody;

/** The keys that the node has signed with. */
export const keyHistory = new CheckGroup('key-history');

/** The published keys; those of the DID document alone where a node publishes none. */
export async function keyHistoryOf(node: RemoteNode): Promise<{ keys: DidKey[] }> {
  const answer = await node.call(getKeyHistory);
  const published = answer.status === 200 ? answer.ok<Output>().keys.map(({ key }) => key) : [];
  return { keys: [...new Set([...node.keys, ...published.filter(isDidKey)])] };
}

keyHistory.add('is open to all', async ({ node }) => {
  const { did, keys } = (await node.call(getKeyHistory)).ok<Output>();
  assert.equal(did, node.did);
  assert.ok(keys.length > 0);
});

keyHistory.add('ends with the key of the DID document, which is in use', async ({ node }) => {
  const { keys } = (await node.call(getKeyHistory)).ok<Output>();
  const last = keys.at(-1);
  assert.equal(last?.key, node.keys[0]);
  assert.equal(last?.validUntil, undefined);
});

keyHistory.add(
  'is a chain that verifies, each key vouched for by the one before',
  async ({ node }) => {
    const { keys } = (await node.call(getKeyHistory)).ok<Output>();
    verifyKeyHistory(keys, { did: node.did, currentKeys: node.keys });
  },
);

keyHistory.add('does not verify with a key that nobody vouched for', async ({ node }) => {
  const { keys } = (await node.call(getKeyHistory)).ok<Output>();
  const key = SigningKey.generate('secp256k1').did();
  const now = new Date().toISOString();
  const forged = [...keys.map((each) => ({ ...each, validUntil: now })), { key, validFrom: now }];
  const options = { did: node.did, currentKeys: [key] };
  assert.throws(() => verifyKeyHistory(forged, options), ProofError);
});
