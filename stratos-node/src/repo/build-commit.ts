import { TID } from '@atproto/common-web';
import { decode, encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, decodeCid, parseCid } from '@atproto/lex-data';
import { type Cid, type SigningKey, type Tid, toTid } from '@stratos/protocol';
import {
  addCoveringProof,
  type ChangedTree,
  type CidBytes,
  cidBytesOf,
  type TreeBlocks,
  TreeChange,
  textOf,
} from '@stratos/protocol/tree';
import { LRUCache } from 'lru-cache';
import type {
  ActorReader,
  EventOp,
  RepoCommit,
  RepoRoot,
  StubChange,
} from '../storage/actor-storage.ts';
import { carOf } from './car.ts';
import { nodesOf } from './tree-nodes.ts';

/** A change to one record, in the repo, on the stream and on the person's PDS. */
export interface Change {
  op: EventOp;
  /** The record as it is to be stored; undefined if it is deleted. */
  bytes: Uint8Array | undefined;
  stub: StubChange | undefined;
}

/** The first commit of a repo: an empty tree, signed by the person's key. */
export async function firstCommit(actor: ActorReader, key: SigningKey): Promise<RepoCommit> {
  const tree = TreeChange.ofNothing(nodesOf(actor)).finish();
  return toRepoCommit(actor, key, { tree, before: undefined, changes: [] });
}

/** The next commit of a repo, with changes to as many records, each another. */
export async function nextCommit(
  actor: ActorReader,
  key: SigningKey,
  changes: readonly Change[],
): Promise<RepoCommit> {
  const before = await newestCommit(actor);
  const change = new TreeChange(nodesOf(actor), before.data);
  for (const { op } of changes) {
    if (op.cid === undefined) await change.remove(op.path);
    else await change.put(op.path, parseCid(op.cid).bytes, { isNew: op.action === 'create' });
  }
  return toRepoCommit(actor, key, { tree: change.finish(), before, changes });
}

/** The root of the tree of an actor's newest commit. */
export async function treeRoot(actor: ActorReader): Promise<CidLink> {
  return decodeCid((await newestCommit(actor)).data);
}

/** A commit that is stored, and the root of its tree. */
interface StoredCommit extends RepoRoot {
  data: CidBytes;
}

/** Roots of trees by commit, which are the same for ever. */
const rootsOfTrees = new LRUCache<Cid, CidBytes>({ max: 10_000 });

async function newestCommit(actor: ActorReader): Promise<StoredCommit> {
  const root = await actor.root();
  if (!root) throw new Error('the repo has no commit');
  return { ...root, data: rootsOfTrees.get(root.cid) ?? (await dataOf(actor, root.cid)) };
}

/** The root of the tree of a commit. */
export async function dataOf(actor: Pick<ActorReader, 'block'>, commit: Cid): Promise<CidBytes> {
  const known = rootsOfTrees.get(commit);
  if (known) return known;
  const block = await actor.block(commit);
  if (!block) throw new Error('the commit is missing');
  const { data } = decode(block) as { data: CidLink };
  rootsOfTrees.set(commit, data.bytes);
  return data.bytes;
}

interface CommitParts {
  tree: ChangedTree;
  before: StoredCommit | undefined;
  changes: readonly Change[];
}

async function toRepoCommit(
  actor: ActorReader,
  key: SigningKey,
  { tree, before, changes }: CommitParts,
): Promise<RepoCommit> {
  const rev = toTid(TID.nextStr(before?.rev));
  const signed = await signCommit(actor, key, tree.root, rev);
  const root = { cid: textOf(signed.cid), rev };
  rootsOfTrees.set(root.cid, tree.root);
  const ops = changes.map(({ op }) => op);
  const stubs = changes.flatMap(({ stub }) => stub ?? []);
  const records = new Map(
    changes.flatMap(({ op: { cid }, bytes }) => (cid && bytes ? [[cid, bytes]] : [])),
  );
  const replaced = ops.flatMap(({ prev }) => (prev && !records.has(prev) ? [prev] : []));
  return {
    root,
    newBlocks: [...tree.newBlocks, ...records, [root.cid, signed.bytes]],
    removedCids: [...tree.removedCids, ...replaced, ...(before ? [before.cid] : [])],
    event: {
      ops,
      ...(before && { prevData: textOf(before.data), since: before.rev }),
      ...(stubs.length > 0 && { stubs }),
      time: new Date().toISOString(),
      rev,
      commit: root.cid,
      proof: carOf(signed.cid, [
        [signed.cid, signed.bytes],
        ...(await proofOf(actor, tree.root, ops)),
      ]),
    },
  };
}

async function signCommit(actor: ActorReader, key: SigningKey, data: CidBytes, rev: Tid) {
  const unsigned = { did: actor.did, version: 3, rev, prev: null, data: decodeCid(data) };
  const bytes = encode({ ...unsigned, sig: await key.sign(encode(unsigned)) });
  return { bytes, cid: cidBytesOf(bytes) };
}

/** The nodes of the new tree that prove the operations and their inverse. */
async function proofOf(
  actor: ActorReader,
  root: CidBytes,
  ops: readonly EventOp[],
): Promise<Iterable<[CidBytes, Uint8Array]>> {
  const blocks: TreeBlocks = new Map();
  const nodes = nodesOf(actor);
  for (const { path } of ops) await addCoveringProof(nodes, root, path, blocks);
  return blocks.values();
}
