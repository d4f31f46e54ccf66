import { encode } from '@atproto/lex-cbor';
import { type LexMap, parseCid } from '@atproto/lex-data';
import {
  type BlockMap,
  type Commit,
  def,
  MemoryBlockstore,
  MST,
  readCarWithRoot,
} from '@atproto/repo';
import { zone } from '../generated/index.ts';
import { type Boundary, recordBoundaries } from './boundary.ts';
import {
  InvalidBoundaryError,
  InvalidIdentifierError,
  ProofError,
  type ProofFailure,
} from './errors.ts';
import {
  type AtUri,
  type Cid,
  type Did,
  type DidKey,
  isAtUri,
  isTid,
  parseAtUri,
  type Tid,
  toCid,
  toDid,
} from './identifiers.ts';
import { decodeRecord } from './record.ts';
import { verifySignature } from './signing-key.ts';
import { tidTime } from './tid.ts';

type CommitFrame = zone.stratos.sync.subscribeService.Commit;
type OpFrame = zone.stratos.sync.subscribeService.RecordOp;

/** How far ahead of our clock a revision may be. */
const FUTURE_TOLERANCE_MS = 5 * 60_000;

/** Where a repo was after the commit before. */
export interface RepoHead {
  rev: Tid;
  /** Root of its tree. */
  data: Cid;
}

export interface VerifiedOp {
  action: 'create' | 'update' | 'delete';
  uri: AtUri;
  collection: string;
  rkey: string;
  /** The record from here on; undefined for delete. */
  cid: Cid | undefined;
  /** The record until here; undefined for create. */
  prev: Cid | undefined;
  /** Undefined for delete, and when the node has since forgotten the record: a later event says so. */
  record: { bytes: Uint8Array; value: LexMap; boundaries: Boundary[] } | undefined;
  /** Why the record cannot be read though the commit has it; it counts as nobody's to see. */
  flaw?: ProofFailure;
}

/** A commit whose signature, continuity, operations and records have been proven. */
export interface VerifiedCommit {
  did: Did;
  rev: Tid;
  commit: Cid;
  data: Cid;
  ops: VerifiedOp[];
}

export interface VerifyCommitOptions {
  /** The node whose stream it came on; bare boundaries of old records are read as its own. */
  service: Did;
  /** The person's key at the node, from the node's membership log. */
  signingKey: DidKey;
  /** Undefined when this must be the repo's first commit. */
  previous: RepoHead | undefined;
  now?: Date;
}

/**
 * Checks one commit of a node's stream: that the person's key signed it, that it follows the commit
 * before, that its operations are all there is between the two trees, and that its records are what
 * was signed. Whether the author might write to those boundaries is for the caller to decide.
 *
 * @throws {@link ProofError}
 */
export async function verifyCommit(
  frame: unknown,
  options: VerifyCommitOptions,
): Promise<VerifiedCommit> {
  try {
    return await verifyFrame(parseFrame(frame), options);
  } catch (cause) {
    if (!(cause instanceof InvalidIdentifierError)) throw cause;
    throw new ProofError('malformed', 'an identifier is not of its syntax', { cause });
  }
}

async function verifyFrame(
  frame: CommitFrame,
  { service, signingKey, previous, now = new Date() }: VerifyCommitOptions,
): Promise<VerifiedCommit> {
  const { commit, blocks } = await readCommit(frame);
  if (!isSignedBy(commit, signingKey)) {
    throw new ProofError('bad-signature', "the commit is not signed by the person's key");
  }
  if (commit.did !== frame.did)
    throw new ProofError('wrong-actor', 'the commit is of another repo');
  const rev = checkRev(commit, frame, previous, now);
  await checkOps(commit, blocks, frame, previous);
  const did = toDid(commit.did);
  return {
    did,
    rev,
    commit: toCid(frame.commit.toString()),
    data: toCid(commit.data.toString()),
    ops: await Promise.all(frame.ops.map((op) => readOp(op, { did, service, blocks }))),
  };
}

function parseFrame(frame: unknown): CommitFrame {
  const parsed = zone.stratos.sync.subscribeService.commit.safeParse(frame);
  if (!parsed.success) throw new ProofError('malformed', 'not a commit event');
  const paths = new Set(parsed.value.ops.map(({ path }) => path));
  if (paths.size !== parsed.value.ops.length) {
    throw new ProofError('malformed', 'two operations on one record');
  }
  return parsed.value;
}

async function readCommit(frame: CommitFrame): Promise<{ commit: Commit; blocks: BlockMap }> {
  try {
    const { root, blocks } = await readCarWithRoot(frame.blocks);
    if (!root.equals(frame.commit)) throw new ProofError('wrong-cid', 'the CAR has another root');
    const { obj } = await new MemoryBlockstore(blocks).readObjAndBytes(root, def.commit);
    return { commit: obj, blocks };
  } catch (cause) {
    if (cause instanceof ProofError) throw cause;
    throw new ProofError('malformed', 'the CAR cannot be read', { cause });
  }
}

function isSignedBy(commit: Commit, key: DidKey): boolean {
  const { sig, ...unsigned } = commit;
  return verifySignature(key, encode(unsigned), sig);
}

function checkRev(
  commit: Commit,
  frame: CommitFrame,
  previous: RepoHead | undefined,
  now: Date,
): Tid {
  const { rev } = commit;
  if (!isTid(rev) || rev !== frame.rev)
    throw new ProofError('malformed', 'the revision is not the commit’s');
  if (frame.since !== previous?.rev)
    throw new ProofError('not-continuous', 'commits are missing before this one');
  if (previous && rev <= previous.rev)
    throw new ProofError('not-increasing', 'the revision goes backwards');
  if (tidTime(rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS) {
    throw new ProofError('in-the-future', 'the revision is of the future');
  }
  return rev;
}

/** Takes the operations back from the new tree; what is left must be the tree before. */
async function checkOps(
  commit: Commit,
  blocks: BlockMap,
  frame: CommitFrame,
  previous: RepoHead | undefined,
) {
  if (frame.prevData?.toString() !== previous?.data) {
    throw new ProofError('not-continuous', 'the tree before is not the one that is known');
  }
  const storage = new MemoryBlockstore(blocks);
  const before = previous
    ? parseCid(previous.data)
    : await (await MST.create(storage)).getPointer();
  try {
    let tree = MST.load(storage, commit.data);
    for (const op of frame.ops) {
      const found = await tree.get(op.path);
      if (found?.toString() !== op.cid?.toString()) {
        throw new ProofError('not-included', 'an operation is not in the tree');
      }
    }
    for (const op of frame.ops) tree = await takeBack(tree, op);
    if (!(await tree.getPointer()).equals(before)) {
      throw new ProofError('not-included', 'the operations are not all that changed');
    }
  } catch (cause) {
    if (cause instanceof ProofError) throw cause;
    throw new ProofError('not-included', 'the tree cannot be followed', { cause });
  }
}

function takeBack(tree: MST, op: OpFrame): Promise<MST> {
  if (op.action === 'create' && op.cid && !op.prev) return tree.delete(op.path);
  if (op.action === 'update' && op.cid && op.prev) return tree.update(op.path, op.prev);
  if (op.action === 'delete' && !op.cid && op.prev) return tree.add(op.path, op.prev);
  throw new ProofError('malformed', 'an operation does not say what it does');
}

async function readOp(
  op: OpFrame,
  context: { did: Did; service: Did; blocks: BlockMap },
): Promise<VerifiedOp> {
  const { did, service, blocks } = context;
  const cid = op.cid && toCid(op.cid.toString());
  const bytes = op.cid && blocks.get(op.cid);
  return {
    action: op.action as VerifiedOp['action'],
    ...readPath(op.path, did),
    cid,
    prev: op.prev && toCid(op.prev.toString()),
    ...(cid && bytes ? await readRecord(bytes, cid, service) : { record: undefined }),
  };
}

function readPath(path: string, did: Did) {
  const uri = `at://${did}/${path}`;
  if (!isAtUri(uri)) throw new ProofError('malformed', 'an operation has no valid path');
  const { collection, rkey } = parseAtUri(uri);
  return { uri, collection, rkey };
}

/** One record that cannot be read must not keep the rest of the repo from being followed. */
async function readRecord(
  bytes: Uint8Array,
  cid: Cid,
  service: Did,
): Promise<Pick<VerifiedOp, 'record' | 'flaw'>> {
  try {
    const value = await decodeRecord(bytes, cid);
    return { record: { bytes, value, boundaries: recordBoundaries(value, service) } };
  } catch (error) {
    if (error instanceof ProofError) return { record: undefined, flaw: error.reason };
    if (error instanceof InvalidBoundaryError) return { record: undefined, flaw: 'wrong-boundary' };
    throw error;
  }
}
