import type { AtUri, Did, Tid } from '@stratos/protocol';
import { keepBlobs } from '../blobs/record-blobs.ts';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { nextCommit } from '../repo/build-commit.ts';
import type { ActorTransactor, RecordStanding, RepoRoot } from '../storage/actor-storage.ts';
import type { MadeCommit } from '../stream/publisher.ts';
import { type CheckedWrite, checkWrites } from './check-write.ts';
import { enrolled } from './enrolled.ts';
import { planChange } from './plan-change.ts';
import { checkReplies } from './reply-rule.ts';
import type { Write, WriteResult, Written } from './write.ts';

export interface WriteOptions {
  /** False skips the check by lexicon, true requires a lexicon that is known. */
  validate?: boolean | undefined;
  /** CID of the commit that the repo must be at, if anything is to change. */
  swapCommit?: string | undefined;
}

/**
 * Writes into a person's own repo: all of it, as one commit, or nothing. Returns once it is durable
 * and published; what was deleted or replaced is then gone. Writes that were carried out before are
 * answered as before.
 */
export async function writeRecords(
  ctx: NodeContext,
  author: Did,
  writes: readonly Write[],
  { validate, swapCommit }: WriteOptions = {},
): Promise<Written> {
  return ctx.locks.run(author, async () => {
    const enrollment = await enrolled(ctx, author);
    await ctx.writeRate.take(author, writes.length);
    const checked = await checkWrites(ctx, enrollment, writes, validate);
    await checkReplies(ctx, author, checked);
    const blobs = checked.flatMap((write) => (write.action === 'delete' ? [] : write.blobs));
    const tempKeys = await keepBlobs(ctx, author, blobs);
    await ctx.publisher.beforeWrite(author);
    const { made, forgets, ...written } = await ctx.actors.write(author, (actor) =>
      commitWrites(ctx, actor, checked, swapCommit),
    );
    if (made) ctx.metrics.committed(made.event.ops);
    const replaces = made?.event.ops.some(({ prev }) => prev !== undefined);
    if (replaces || forgets) await ctx.actors.scrub(author);
    const hasBlobs = made?.leavesBlobs || forgets || tempKeys.length > 0;
    if (hasBlobs) await ctx.blobSweep.tidy(author, tempKeys);
    // @NOTE with nothing made, what is there may be of a write that failed before it was published
    await ctx.publisher.publish(author, made);
    return written;
  });
}

interface Committed extends Written {
  made?: MadeCommit & { leavesBlobs: boolean };
  /** Whether records that were taken down are gone for good. */
  forgets: boolean;
}

async function commitWrites(
  ctx: NodeContext,
  actor: ActorTransactor,
  writes: readonly CheckedWrite[],
  swapCommit: string | undefined,
): Promise<Committed> {
  const standing = await actor.standings(writes.map(({ uri }) => uri));
  const forgets = await forgetTakenDown(actor, writes, standing);
  const planned = writes.map((write) => {
    const existing = standing.get(write.uri);
    const change = planChange(ctx.config, write, existing);
    return { write, change, result: resultOf(write, change?.op.action === 'update') };
  });
  const changes = planned.flatMap(({ change }) => change ?? []);
  const results = planned.map(({ result }) => result);
  if (changes.length === 0) {
    const revs = standing.values().map(({ rev }) => rev);
    return { commit: await newestCommit(actor, [...revs]), results, forgets };
  }
  if (swapCommit !== undefined && (await actor.root())?.cid !== swapCommit) {
    throw new NodeError('InvalidSwap');
  }
  const commit = await nextCommit(actor, await ctx.actorKeys.of(actor), changes);
  const seq = await actor.applyCommit(commit);
  const leavesBlobs = await actor.blobs.refer(
    new Map(
      planned.flatMap(({ write, change }) => {
        const cids = write.action === 'delete' ? [] : write.blobs.map(({ cid }) => cid);
        const isAbout = change && (cids.length > 0 || change.op.prev !== undefined);
        return isAbout ? [[write.uri, cids] as const] : [];
      }),
    ),
  );
  return { commit: commit.root, results, forgets, made: { seq, event: commit.event, leavesBlobs } };
}

/** The repo no longer has what was taken down; its author can still have it deleted for good. */
async function forgetTakenDown(
  actor: ActorTransactor,
  writes: readonly CheckedWrite[],
  standing: Map<AtUri, RecordStanding>,
): Promise<boolean> {
  const uris = writes
    .filter(({ action, uri }) => action === 'delete' && standing.get(uri)?.isTakenDown)
    .map(({ uri }) => uri);
  if (uris.length === 0) return false;
  await actor.removeTakenDown(uris);
  await actor.blobs.refer(new Map(uris.map((uri) => [uri, []])));
  for (const uri of uris) standing.delete(uri);
  return true;
}

function resultOf(write: CheckedWrite, isUpdate: boolean): WriteResult {
  if (write.action === 'delete') return { action: 'delete' };
  const { uri, cid, validationStatus } = write;
  const action = isUpdate || write.action === 'update' ? 'update' : 'create';
  return { action, uri, cid, validationStatus };
}

/** The commit that carried out what was asked for, when it was asked before. */
async function newestCommit(
  actor: ActorTransactor,
  revs: readonly Tid[],
): Promise<RepoRoot | undefined> {
  const rev = [...revs].sort().at(-1);
  const cid = rev && (await actor.commitOf(rev));
  return rev && cid ? { cid, rev } : undefined;
}
