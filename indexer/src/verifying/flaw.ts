import type { Did } from '@stratos/protocol';

/** What can be wrong with something that is stored, and what that means. */
export const FLAWS = {
  'no-keys': 'the keys of the node cannot be had: its statements are not checked',
  'log-head': 'the newest entry of the log is not the one that is stored of it',
  'no-membership': 'there are posts or proofs, and no statement about their author',
  'no-statement': 'what the node has stated is not stored',
  'bad-statement': 'the stored statement cannot be read, or is of somebody else',
  'statement-signature': 'the statement is not signed by the node',
  'statement-differs': 'the membership is not what the statement says',
  'wrong-memberships': 'the boundaries of the member are not those that are stated',
  'wrong-head': 'the repo is not where its newest commit says',
  'bad-proof': 'the proof cannot be read, or is of another repo or revision',
  'proof-signature': 'the commit of the proof is not signed by the key that it names',
  'wrong-key': 'the proof is by a key that is not the one that is stated',
  'no-proof': 'nothing shows that the post was in the repo',
  'not-in-tree': 'the proof does not show the post, or shows another',
  'wrong-bytes': 'the record is not what its CID is the hash of',
  'wrong-columns': 'address, text or references are not what the record says',
  'wrong-boundaries': 'the boundaries are not those of the record, or of another node',
  'wrong-rev': 'the post is newer than what shows it',
  'wrong-sort': 'the place in feeds is not the earlier of written and indexed',
  buried: 'the post is there, and noted as deleted',
  shown: 'it is to be read where it must not be',
  'not-shown': 'it is not to be read where it should be',
  'wrong-reader': 'it is to be read in another place of feeds, or as of another author',
  'wrong-search': 'the words by which it is found are not its own',
  'wrong-references': 'what it answers or quotes is not what it says',
} as const;

export type FlawKind = keyof typeof FLAWS;

/** Something stored that is not what its proof says. Never content. */
export interface Flaw {
  kind: FlawKind;
  nodeDid: Did;
  did?: Did | undefined;
  /** The post, when it is about one. */
  uri?: string | undefined;
}
