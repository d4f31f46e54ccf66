/** A check of the indexer, and how it is taken out. */
export interface Mutant {
  check: string;
  file: string;
  /** Each occurs once in the file. */
  edits: readonly (readonly [find: string, put: string])[];
}

const COMMIT = 'protocol/src/commit.ts';
const MEMBERSHIP = 'protocol/src/membership.ts';
const REPO = 'protocol/src/repo/verify-repo.ts';
const READERS = 'indexer/src/visibility/readers.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    check: 'commits are signed by the key of the person',
    file: COMMIT,
    edits: [['!this.#isSignedBy(signingKey)', 'false']],
  },
  {
    // Any one of these three would show a gap.
    check: 'commits follow each other',
    file: COMMIT,
    edits: [
      ['this.since !== previous?.rev', 'false'],
      ['this.prevData !== previous?.data', 'false'],
      ['this.#before.root !== (previous?.data ?? EMPTY_TREE)', 'false'],
    ],
  },
  {
    check: 'operations are all that changed',
    file: COMMIT,
    edits: [['this.#before.root !== (previous?.data ?? EMPTY_TREE)', 'false']],
  },
  {
    check: 'revisions are not of the future',
    file: COMMIT,
    edits: [['tidTime(rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS', 'false']],
  },
  {
    check: 'commits are of the repo that the event names',
    file: COMMIT,
    edits: [['signed.did !== frame.did', 'false']],
  },
  {
    check: 'blocks of a commit are of their CIDs',
    file: 'protocol/src/frame-blocks.ts',
    edits: [['!isCidOf(cid, bytes)', 'false']],
  },
  {
    check: 'authors hold the boundaries of their records',
    file: 'indexer/src/applying/apply-post.ts',
    edits: [['boundaries.every((boundary) => allowed.has(boundary))', 'true']],
  },
  {
    check: 'memberships are signed by the node',
    file: MEMBERSHIP,
    edits: [['!keys.some((key) => verifySignature(key, signed, sig))', 'false']],
  },
  {
    check: 'memberships follow each other',
    file: MEMBERSHIP,
    edits: [['entry.seq !== (previous?.seq ?? 0) + 1 || entry.prev !== previous?.cid', 'false']],
  },
  {
    check: 'memberships are of the node that sends them',
    file: MEMBERSHIP,
    edits: [['entry.service !== service', 'false']],
  },
  {
    check: 'whole repos are signed by the key of the person',
    file: REPO,
    edits: [
      ['= signerOf(commit, signingKeys);', '= signerOf(commit, signingKeys) ?? signingKeys[0];'],
    ],
  },
  {
    check: 'blocks of whole repos are of their CIDs',
    file: 'protocol/src/repo/block-source.ts',
    edits: [['!isCidOf(cid, bytes)', 'false']],
  },
  {
    check: 'the PDS vouches for the key',
    file: READERS,
    edits: [[' and e.signing_key = m.signing_key', '']],
  },
  {
    check: 'the account is in use',
    file: READERS,
    edits: [['and coalesce((select a.active from stratos_actor a where a.did = m.did), true)', '']],
  },
];
