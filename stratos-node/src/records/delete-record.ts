import { WriteOpAction } from '@atproto/repo';
import type { NsidString, RecordKeyString } from '@atproto/syntax';
import {
  type Cid,
  type Did,
  decodeRecord,
  recordBoundaries,
  recordUri,
  SigningKey,
  type Tid,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { nextCommit } from '../repo/build-commit.ts';
import type { ActorTransactor, RepoRoot, StoredRecord } from '../storage/actor-storage.ts';
import { checkSwapCommit } from './create-record.ts';
import { enrolled } from './enrolled.ts';
import * as rules from './record-rules.ts';

export interface DeleteRecordInput {
  collection: string;
  rkey: string;
  swapRecord?: string | undefined;
  swapCommit?: string | undefined;
}

/**
 * Deletes a record from its author's repo; its content is gone when this returns.
 *
 * @returns undefined if there was no such record
 */
export async function deleteRecord(
  ctx: NodeContext,
  author: Did,
  input: DeleteRecordInput,
): Promise<{ cid: Cid; rev: Tid } | undefined> {
  return ctx.locks.run(author, async () => {
    await enrolled(ctx, author);
    ctx.writeRate.take(author);
    rules.checkCollection(input.collection);
    const uri = recordUri(author, input.collection, input.rkey);
    await ctx.publisher.beforeWrite(author);
    const commit = await ctx.actors.write(author, async (actor) => {
      await checkSwapCommit(actor, input.swapCommit);
      const existing = await actor.record(uri);
      if (input.swapRecord !== undefined && existing?.cid !== input.swapRecord) {
        throw new NodeError('InvalidSwap');
      }
      return existing && commitDelete(ctx, actor, existing);
    });
    if (commit) await ctx.actors.scrub(author);
    await ctx.publisher.publish(author);
    return commit;
  });
}

async function commitDelete(
  ctx: NodeContext,
  actor: ActorTransactor,
  { collection, rkey, cid, bytes }: StoredRecord,
): Promise<RepoRoot> {
  const key = SigningKey.import('P-256', await actor.signingKey());
  const prevBoundaries = recordBoundaries(await decodeRecord(bytes, cid), ctx.config.serviceDid);
  const commit = await nextCommit(actor, key, {
    write: {
      action: WriteOpAction.Delete,
      collection: collection as NsidString,
      rkey: rkey as RecordKeyString,
    },
    op: { action: 'delete', path: `${collection}/${rkey}`, prev: cid, prevBoundaries },
    stub: ctx.config.stubs ? { action: 'delete', collection, rkey } : undefined,
  });
  await actor.applyCommit(commit);
  return commit.root;
}
