import { type Cid as CidLink, isDaslCid } from '@atproto/lex-data';
import { zone } from '../generated/index.ts';
import { type TreeBefore, treeBefore } from './commit-tree.ts';
import { InvalidIdentifierError, ProofError, type ProofFailure } from './errors.ts';
import { FrameBlocks } from './frame-blocks.ts';
import {
  type AtUri,
  type Cid,
  type Did,
  type DidKey,
  isAtUri,
  parseAtUri,
  type Tid,
  toTid,
} from './identifiers.ts';
import { ProofCar } from './repo/proof-car.ts';
import { type RecordContent, readRecord } from './repo/read-record.ts';
import { type RepoCommit, readRepoCommit } from './repo/repo-commit.ts';
import { verifySignature, verifySignatureAside } from './signing-key.ts';
import { tidTime } from './tid.ts';
import { cidBytesOf, encodeNode, textOf } from './tree/index.ts';

type CommitFrame = zone.stratos.sync.subscribeService.Commit;
type OpFrame = zone.stratos.sync.subscribeService.RecordOp;

/** How far ahead of our clock a revision may be. */
const FUTURE_TOLERANCE_MS = 5 * 60_000;

/** Root of the tree that has nothing in it. */
export const EMPTY_TREE = textOf(cidBytesOf(encodeNode(null, [])));

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
  record: RecordContent | undefined;
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

export interface ReadCommitOptions {
  /** The node whose stream it came on; bare boundaries of old records are read as its own. */
  service: Did;
}

export interface CheckCommitOptions {
  /** The person's key at the node, from the node's membership log. */
  signingKey: DidKey;
  /** Undefined when this must be the repo's first commit. */
  previous: RepoHead | undefined;
  now?: Date;
}

export type VerifyCommitOptions = ReadCommitOptions & CheckCommitOptions;

/**
 * What a commit event says, with all of it proven that does not depend on who signed it and on what
 * came before: its blocks, its operations and its records are those of the commit.
 */
export class CommitClaim {
  readonly did: Did;
  readonly rev: Tid;
  readonly commit: Cid;
  /** Root of its tree. */
  readonly data: Cid;
  /** What it says that it follows. */
  readonly since: Tid | undefined;
  readonly prevData: Cid | undefined;
  readonly #signed: RepoCommit;
  readonly #block: Uint8Array;
  readonly #before: TreeBefore | ProofError;
  readonly #ops: VerifiedOp[];
  #vouched: DidKey | undefined;

  private constructor(
    frame: CommitFrame,
    parts: {
      signed: RepoCommit;
      block: Uint8Array;
      before: TreeBefore | ProofError;
      ops: VerifiedOp[];
    },
  ) {
    const { signed, block, before, ops } = parts;
    this.did = signed.did;
    this.rev = signed.rev;
    this.commit = textOf(signed.cid.bytes);
    this.data = textOf(signed.data.bytes);
    this.since = frame.since === undefined ? undefined : toTid(frame.since);
    this.prevData = cidOfLink(frame.prevData);
    this.#signed = signed;
    this.#block = block;
    this.#before = before;
    this.#ops = ops;
  }

  /** Throws {@link ProofError}. */
  static async read(frame: unknown, { service }: ReadCommitOptions): Promise<CommitClaim> {
    try {
      const parsed = parseFrame(frame);
      const blocks = await FrameBlocks.read(parsed.blocks, parsed.ops.length);
      const signed = await readSigned(parsed, blocks);
      const before = await treeBefore(blocks, signed.data.bytes, parsed.ops).catch(onlyProofError);
      const ops = parsed.ops.map((op) => readOp(op, { did: signed.did, service, blocks }));
      const block = blocks.get(signed.cid.bytes) ?? new Uint8Array();
      return new CommitClaim(parsed, { signed, block, before, ops });
    } catch (cause) {
      if (!(cause instanceof InvalidIdentifierError)) throw cause;
      throw new ProofError('malformed', 'an identifier is not of its syntax', { cause });
    }
  }

  /** Whether it changes nothing. */
  get isEmpty(): boolean {
    return this.#ops.length === 0;
  }

  /** Looks, while the main thread does something else, whether this key has signed it. */
  async vouch(key: DidKey): Promise<void> {
    const { signed, sig } = this.#signed;
    if (await verifySignatureAside(key, signed, sig)) this.#vouched = key;
  }

  /**
   * Proves that the person's key signed it, and that it follows the commit before.
   *
   * @throws {@link ProofError}
   */
  check({ signingKey, previous, now = new Date() }: CheckCommitOptions): VerifiedCommit {
    if (!this.#isSignedBy(signingKey)) {
      throw new ProofError('bad-signature', "the commit is not signed by the person's key");
    }
    const { did, rev, commit, data } = this;
    if (this.since !== previous?.rev)
      throw new ProofError('not-continuous', 'commits are missing before this one');
    if (previous && rev <= previous.rev)
      throw new ProofError('not-increasing', 'the revision goes backwards');
    if (tidTime(rev).getTime() > now.getTime() + FUTURE_TOLERANCE_MS) {
      throw new ProofError('in-the-future', 'the revision is of the future');
    }
    if (this.prevData !== previous?.data) {
      throw new ProofError('not-continuous', 'the tree before is not the one that is known');
    }
    if (this.#before instanceof ProofError) throw this.#before;
    if (this.#before.root !== (previous?.data ?? EMPTY_TREE)) {
      throw new ProofError('not-included', 'the operations are not all that changed');
    }
    return { did, rev, commit, data, ops: this.#ops };
  }

  /** A CAR of what shows that its records are in the repo: the commit, and the way to them. */
  proof(): Uint8Array {
    const car = new ProofCar(this.commit);
    car.add(this.#signed.cid.bytes, this.#block);
    if (!(this.#before instanceof ProofError)) {
      for (const node of this.#before.path.values()) car.add(...node);
    }
    return car.bytes();
  }

  #isSignedBy(key: DidKey): boolean {
    const { signed, sig } = this.#signed;
    return this.#vouched === key || verifySignature(key, signed, sig);
  }
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
  return (await CommitClaim.read(frame, options)).check(options);
}

function parseFrame(frame: unknown): CommitFrame {
  const parsed = zone.stratos.sync.subscribeService.commit.safeValidate(frame);
  if (!parsed.success) throw new ProofError('malformed', 'not a commit event');
  const paths = new Set(parsed.value.ops.map(({ path }) => path));
  if (paths.size !== parsed.value.ops.length) {
    throw new ProofError('malformed', 'two operations on one record');
  }
  return parsed.value;
}

async function readSigned(frame: CommitFrame, blocks: FrameBlocks): Promise<RepoCommit> {
  if (!blocks.root.equals(frame.commit)) {
    throw new ProofError('wrong-cid', 'the CAR has another root');
  }
  const signed = await readRepoCommit(blocks, blocks.root);
  if (signed.did !== frame.did)
    throw new ProofError('wrong-actor', 'the commit is of another repo');
  if (signed.rev !== frame.rev)
    throw new ProofError('malformed', 'the revision is not the commit’s');
  return signed;
}

function onlyProofError(error: unknown): ProofError {
  if (error instanceof ProofError) return error;
  throw error;
}

function readOp(
  op: OpFrame,
  { did, service, blocks }: { did: Did; service: Did; blocks: FrameBlocks },
): VerifiedOp {
  const bytes = op.cid && blocks.get(op.cid.bytes);
  return {
    action: op.action as VerifiedOp['action'],
    ...readPath(op.path, did),
    cid: cidOfLink(op.cid),
    prev: cidOfLink(op.prev),
    ...(bytes ? readRecord(bytes, service) : { record: undefined }),
  };
}

function readPath(path: string, did: Did) {
  const uri = `at://${did}/${path}`;
  if (!isAtUri(uri)) throw new ProofError('malformed', 'an operation has no valid path');
  const { collection, rkey } = parseAtUri(uri);
  return { uri, collection, rkey };
}

function cidOfLink(link: CidLink): Cid;
function cidOfLink(link: CidLink | undefined): Cid | undefined;
function cidOfLink(link: CidLink | undefined): Cid | undefined {
  if (!link) return undefined;
  if (!isDaslCid(link)) throw new InvalidIdentifierError('not a valid CID');
  return textOf(link.bytes);
}
