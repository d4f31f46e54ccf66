import type { Did, Tid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { nextCommit } from '../repo/build-commit.ts';
import type { ActorTransactor, RepoRoot } from '../storage/actor-storage.ts';
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
    ctx.writeRate.take(author, writes.length);
    const checked = await checkWrites(ctx, enrollment, writes, validate);
    await checkReplies(ctx, author, checked);
    await ctx.publisher.beforeWrite(author);
    const { erases, ...written } = await ctx.actors.write(author, (actor) =>
      commitWrites(ctx, actor, checked, swapCommit),
    );
    if (erases) await ctx.actors.scrub(author);
    await ctx.publisher.publish(author);
    return written;
  });
}

async function commitWrites(
  ctx: NodeContext,
  actor: ActorTransactor,
  writes: readonly CheckedWrite[],
  swapCommit: string | undefined,
): Promise<Written & { erases: boolean }> {
  const standing = await actor.standings(writes.map(({ uri }) => uri));
  const planned = writes.map((write) => {
    const existing = standing.get(write.uri);
    const change = planChange(ctx.config, write, existing);
    return { change, result: resultOf(write, change?.op.action === 'update') };
  });
  const changes = planned.flatMap(({ change }) => change ?? []);
  const results = planned.map(({ result }) => result);
  if (changes.length === 0) {
    const revs = standing.values().map(({ rev }) => rev);
    return { commit: await newestCommit(actor, [...revs]), results, erases: false };
  }
  if (swapCommit !== undefined && (await actor.root())?.cid !== swapCommit) {
    throw new NodeError('InvalidSwap');
  }
  const commit = await nextCommit(actor, await ctx.actorKeys.of(actor), changes);
  await actor.applyCommit(commit);
  const erases = changes.some(({ op }) => op.prev !== undefined);
  return { commit: commit.root, results, erases };
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
