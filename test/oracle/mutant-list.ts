/** A check of the indexer, and how it is taken out. */
export interface Mutant {
  check: string;
  /** What is to be found in a file, where it is once, and what is put there. */
  edits: readonly (readonly [file: string, find: string, put: string])[];
}

const COMMIT = 'protocol/src/commit.ts';
const MEMBERSHIP = 'protocol/src/membership.ts';
const HEARTBEAT = 'protocol/src/heartbeat.ts';
const REPO = 'protocol/src/repo/verify-repo.ts';
const APPLY_REPO = 'indexer/src/resync/apply-repo.ts';
const POST = 'indexer/src/applying/apply-post.ts';
const READERS = 'indexer/src/visibility/readers.ts';

const IS_ALL = 'this.#before.root !== (previous?.data ?? EMPTY_TREE)';

/**
 * Checks without which something else comes out. Those that only others make up for are not here: that
 * a revision or a position is not taken twice (what comes again follows nothing, and the repo is fetched),
 * that two operations are not on one record (the tree before cannot be made), that no other indexer has
 * taken over (there is one here), and the form of keys and nodes of a tree. They have their own tests.
 */
export const MUTANTS: readonly Mutant[] = [
  {
    check: 'commits are signed by the key of the person',
    edits: [[COMMIT, '!this.#isSignedBy(signingKey)', 'false']],
  },
  {
    // Any one of these three would show a gap.
    check: 'commits follow each other',
    edits: [
      [COMMIT, 'this.since !== previous?.rev', 'false'],
      [COMMIT, 'this.prevData !== previous?.data', 'false'],
      [COMMIT, IS_ALL, 'false'],
    ],
  },
  {
    check: 'operations are all that changed',
    edits: [[COMMIT, IS_ALL, 'false']],
  },
  {
    // What is not in the tree cannot be taken back from it either.
    check: 'operations are in the tree',
    edits: [
      ['protocol/src/commit-tree.ts', '!isSame(found?.value, op.cid?.bytes)', 'false'],
      [COMMIT, 'if (this.#before instanceof ProofError) throw this.#before;', ''],
      [COMMIT, `if (${IS_ALL})`, 'if (false)'],
    ],
  },
  {
    check: 'revisions are not of the future',
    edits: [[COMMIT, 'tidTime(rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS', 'false']],
  },
  {
    check: 'commits are of the repo that the event names',
    edits: [[COMMIT, 'signed.did !== frame.did', 'false']],
  },
  {
    check: 'commits are of the revision that the event names',
    edits: [[COMMIT, 'signed.rev !== frame.rev', 'false']],
  },
  {
    check: 'commits are those that the event names',
    edits: [[COMMIT, '!blocks.root.equals(frame.commit)', 'false']],
  },
  {
    check: 'blocks of a commit are of their CIDs',
    edits: [['protocol/src/frame-blocks.ts', '!isCidOf(cid, bytes)', 'false']],
  },
  {
    check: 'memberships are signed by the node',
    edits: [[MEMBERSHIP, '!keys.some((key) => verifySignature(key, signed, sig))', 'false']],
  },
  {
    check: 'memberships are without gaps',
    edits: [[MEMBERSHIP, 'entry.seq !== (previous?.seq ?? 0) + 1 || ', '']],
  },
  {
    check: 'memberships have the past that is known',
    edits: [[MEMBERSHIP, ' || entry.prev !== previous?.cid', '']],
  },
  {
    check: 'memberships are of the node that sends them',
    edits: [[MEMBERSHIP, 'entry.service !== service', 'false']],
  },
  {
    check: 'memberships are in what is of the node that sends them',
    edits: [
      [
        MEMBERSHIP,
        'entry.boundaries.some((boundary) => boundaryNode(boundary) !== service)',
        'false',
      ],
    ],
  },
  {
    check: 'heartbeats are signed by the node',
    edits: [[HEARTBEAT, '!keys.some((key) => verifySignature(key, signed, sig))', 'false']],
  },
  {
    // The signature is under the name of the node, too.
    check: 'heartbeats are of the node that sends them',
    edits: [
      [HEARTBEAT, 'rest.service !== service', 'false'],
      [HEARTBEAT, '!keys.some((key) => verifySignature(key, signed, sig))', 'false'],
    ],
  },
  {
    check: 'heartbeats are not of the future',
    edits: [[HEARTBEAT, 'heartbeat.time.getTime() > now.getTime() + CLOCK_SKEW_MS', 'false']],
  },
  {
    check: 'heartbeats move nothing but at the position that is applied',
    edits: [['indexer/src/applying/judge-heartbeat.ts', '!isAt || ', '']],
  },
  {
    check: 'whole repos are signed by the key of the person',
    edits: [
      [
        REPO,
        '= signerOf(commit, signingKeys);',
        '= signerOf(commit, signingKeys) ?? signingKeys[0];',
      ],
    ],
  },
  {
    check: 'whole repos are of the person who is asked for',
    edits: [[REPO, 'commit.did !== did', 'false']],
  },
  {
    check: 'whole repos are not of the future',
    edits: [[REPO, 'tidTime(commit.rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS', 'false']],
  },
  {
    // Each is enough.
    check: 'whole repos are not older than what is known',
    edits: [
      [APPLY_REPO, 'if (!known || fetched.rev > known.rev) return;', 'return;'],
      [APPLY_REPO, 'if (head && repo.rev < head.rev) return undefined;', ''],
    ],
  },
  {
    check: 'blocks of whole repos are of their CIDs',
    edits: [['protocol/src/repo/block-source.ts', '!isCidOf(cid, bytes)', 'false']],
  },
  {
    check: 'authors hold the boundaries of their records',
    edits: [[POST, 'boundaries.every((boundary) => allowed.has(boundary))', 'true']],
  },
  {
    // Nobody can hold one of another node, either.
    check: 'records are in boundaries of their node',
    edits: [
      [POST, "return 'foreign-boundary';", ''],
      [POST, 'boundaries.every((boundary) => allowed.has(boundary))', 'true'],
    ],
  },
  {
    check: 'records are in a boundary',
    edits: [[POST, "if (boundaries.length === 0) return 'no-boundary';", '']],
  },
  {
    check: 'records are what their lexicon says',
    edits: [
      [
        'indexer/src/applying/post-row.ts',
        'zone.stratos.feed.post.main.safeValidate(value)',
        '{ success: true as const, value: value as Post }',
      ],
    ],
  },
  {
    check: 'what is refused leaves no earlier version',
    edits: [
      [
        'indexer/src/applying/judge.ts',
        'verdict.remove(op.uri);\n      return refused;',
        'return refused;',
      ],
    ],
  },
  {
    check: 'the PDS vouches for the key',
    edits: [[READERS, ' and e.signing_key = m.signing_key', '']],
  },
  {
    check: 'the account is in use',
    edits: [
      [
        READERS,
        'and coalesce((select a.active from stratos_actor a where a.did = m.did), true)',
        '',
      ],
    ],
  },
  {
    check: 'those who have left are not read',
    edits: [[READERS, ' and m.active\n      and exists', '\n      and exists']],
  },
];
