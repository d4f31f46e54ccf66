/** What the last part of a code says, see ProofFailure of the protocol and the rules for posts. */
const MEANINGS: Record<string, string> = {
  malformed: 'it cannot be read',
  'not-canonical': 'it is not in the one form that can be signed',
  'wrong-cid': 'something is not what its CID is the hash of',
  'wrong-service': 'it is of another node',
  'wrong-actor': 'it is of somebody else',
  'bad-signature': 'it is not signed by the key that it must be signed by',
  'broken-chain': 'the log of memberships is not the one that the node told before',
  'not-increasing': 'its revision goes backwards',
  'in-the-future': 'its revision is of the future',
  'not-continuous': 'commits are missing before it; the repo is fetched anew',
  'not-included': 'it does not show all that it says',
  'wrong-boundary': 'it names boundaries that cannot be',
  'not-a-member': 'the log of the node does not know its author',
  'invalid-record': 'the record is not what its lexicon says',
  'no-boundary': 'the record names no boundary',
  'foreign-boundary': 'the record names a boundary of another node',
  'boundary-not-held': 'its author did not hold a boundary that it names',
  'not-storable': 'the database cannot hold it',
  'rolled-back': 'the node knows less than it told before: it was restored from a backup',
  'too-many-members': 'the node has more members than INDEXER_MAX_MEMBERS',
  unproven: 'what a PDS sent is not signed by the account',
  'too-many': 'one account sent more than can wait',
};

/** What the code of a refusal says. */
export function meaningOf(reason: string): string {
  return MEANINGS[reason.slice(reason.lastIndexOf(':') + 1)] ?? 'no more is known';
}
