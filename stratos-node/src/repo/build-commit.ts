import type { Cid as CidLink } from '@atproto/lex-data';
import { type CommitData, def, type RecordWriteOp, Repo } from '@atproto/repo';
import { type Cid, type SigningKey, toCid, toTid } from '@stratos/protocol';
import type { ActorReader, EventOp, RepoCommit, StubChange } from '../storage/actor-storage.ts';
import { ActorBlockstore } from './actor-blockstore.ts';
import { carOf } from './car.ts';

/** The first commit of a repo: an empty tree, signed by the person's key. */
export async function firstCommit(actor: ActorReader, key: SigningKey): Promise<RepoCommit> {
  const commit = await Repo.formatInitCommit(new ActorBlockstore(actor), actor.did, key);
  return toRepoCommit(commit, { ops: [] });
}

/** A change to one record, in the repo, on the stream and on the person's PDS. */
export interface Change {
  write: RecordWriteOp;
  op: EventOp;
  stub: StubChange | undefined;
}

/** The next commit of a repo, with changes to as many records, each another. */
export async function nextCommit(
  actor: ActorReader,
  key: SigningKey,
  changes: readonly Change[],
): Promise<RepoCommit> {
  const repo = await Repo.load(new ActorBlockstore(actor));
  const commit = await repo.formatCommit(
    changes.map(({ write }) => write),
    key,
  );
  const ops = changes.map(({ op }) => op);
  const stubs = changes.flatMap(({ stub }) => stub ?? []);
  const prevData = textOf(repo.commit.data);
  return toRepoCommit(commit, {
    ops,
    prevData,
    ...(stubs.length > 0 && { stubs }),
  });
}

/** The root of the tree of an actor's newest commit. */
export async function treeRoot(actor: ActorReader): Promise<CidLink> {
  const store = new ActorBlockstore(actor);
  const root = await store.getRoot();
  if (!root) throw new Error('the repo has no commit');
  return (await store.readObj(root, def.commit)).data;
}

async function toRepoCommit(
  commit: CommitData,
  event: Pick<RepoCommit['event'], 'ops' | 'prevData' | 'stubs'>,
): Promise<RepoCommit> {
  const root = { cid: textOf(commit.cid), rev: toTid(commit.rev) };
  const records = new Set(event.ops.map((op) => op.cid));
  const proof = entriesOf(commit.relevantBlocks).filter(([cid]) => !records.has(cid));
  return {
    root,
    newBlocks: entriesOf(commit.newBlocks),
    removedCids: commit.removedCids.toList().map(textOf),
    event: {
      ...event,
      time: new Date().toISOString(),
      rev: root.rev,
      commit: root.cid,
      ...(commit.since !== null && { since: toTid(commit.since) }),
      proof: await carOf(root.cid, proof),
    },
  };
}

function entriesOf(blocks: Iterable<[CidLink, Uint8Array]>): [Cid, Uint8Array][] {
  return Array.from(blocks, ([cid, bytes]) => [textOf(cid), bytes]);
}

function textOf(cid: CidLink): Cid {
  return toCid(cid.toString());
}
