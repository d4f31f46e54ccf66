import { TID } from '@atproto/common-web';
import { decode, encode } from '@atproto/lex-cbor';
import { type Cid as CidLink, decodeCid, type LexMap, parseCid } from '@atproto/lex-data';
import { type Cid, type SigningKey, type Tid, toTid } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type {
  ActorReader,
  EventOp,
  RepoCommit,
  RepoRoot,
  StubChange,
} from '../storage/actor-storage.ts';
import { carOf } from './car.ts';
import { type ChangedTree, cidBytesOf, TreeChange } from './tree/tree-change.ts';
import type { CidBytes } from './tree/tree-node.ts';
import { addCoveringProof, type TreeBlocks } from './tree/tree-path.ts';
import { textOf } from './tree/tree-source.ts';

/** A change to one record, in the repo, on the stream and on the person's PDS. */
export interface Change {
  op: EventOp;
  /** What is to be stored; undefined if the record is deleted. */
  record: LexMap | undefined;
  stub: StubChange | undefined;
}

/** The first commit of a repo: an empty tree, signed by the person's key. */
export async function firstCommit(actor: ActorReader, key: SigningKey): Promise<RepoCommit> {
  const tree = TreeChange.ofNothing(actor).finish();
  return toRepoCommit(actor, key, { tree, before: undefined, changes: [] });
}

/** The next commit of a repo, with changes to as many records, each another. */
export async function nextCommit(
  actor: ActorReader,
  key: SigningKey,
  changes: readonly Change[],
): Promise<RepoCommit> {
  const before = await newestCommit(actor);
  const change = new TreeChange(actor, before.data);
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
  const root = { cid: signed.cid, rev };
  const ops = changes.map(({ op }) => op);
  const stubs = changes.flatMap(({ stub }) => stub ?? []);
  const records = new Map(
    changes.flatMap(({ op: { cid }, record }) => (cid && record ? [[cid, record]] : [])),
  );
  const replaced = ops.flatMap(({ prev }) => (prev && !records.has(prev) ? [prev] : []));
  return {
    root,
    newBlocks: [
      ...tree.newBlocks,
      ...Array.from(records, ([cid, record]) => [cid, encode(record)] as const),
      [signed.cid, signed.bytes],
    ],
    removedCids: [...tree.removedCids, ...replaced, ...(before ? [before.cid] : [])],
    event: {
      ops,
      ...(before && { prevData: textOf(before.data), since: before.rev }),
      ...(stubs.length > 0 && { stubs }),
      time: new Date().toISOString(),
      rev,
      commit: root.cid,
      proof: carOf(root.cid, [[root.cid, signed.bytes], ...(await proofOf(actor, tree.root, ops))]),
    },
  };
}

async function signCommit(actor: ActorReader, key: SigningKey, data: CidBytes, rev: Tid) {
  const unsigned = { did: actor.did, version: 3, rev, prev: null, data: decodeCid(data) };
  const bytes = encode({ ...unsigned, sig: await key.sign(encode(unsigned)) });
  const cid = textOf(cidBytesOf(bytes));
  rootsOfTrees.set(cid, data);
  return { bytes, cid };
}

/** The nodes of the new tree that prove the operations and their inverse. */
async function proofOf(
  actor: ActorReader,
  root: CidBytes,
  ops: readonly EventOp[],
): Promise<[Cid, Uint8Array][]> {
  const blocks: TreeBlocks = new Map();
  for (const { path } of ops) await addCoveringProof(actor, root, path, blocks);
  return Array.from(blocks.values(), ([cid, bytes]) => [textOf(cid), bytes]);
}
