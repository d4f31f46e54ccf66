import {
  type AtUri,
  type Boundary,
  type Did,
  decodeCanonicalMap,
  parseAtUri,
  recordBoundaries,
} from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { isEnrolled } from '../enrollment/is-enrolled.ts';
import { planChange } from '../records/plan-change.ts';
import { type Change, nextCommit } from '../repo/build-commit.ts';
import type { ActorTransactor, StoredRecord } from '../storage/actor-storage.ts';
import type { MadeCommit } from '../stream/publisher.ts';
import type { Takedown } from './takedown.ts';

/**
 * Takes a record down, or puts it back: by a commit that deletes or creates it, which is what makes
 * everybody who follows the repo forget it, and what shows that nothing else was changed. The content
 * is kept aside until it is put back, or until its author deletes it.
 *
 * @returns false if there is no such record
 */
export async function takeDownRecord(
  ctx: NodeContext,
  uri: AtUri,
  { applied, ref }: Takedown,
): Promise<boolean> {
  const { did } = parseAtUri(uri);
  return ctx.locks.run(did, async () => {
    const standing = await ctx.actors.read(did, (actor) => actor.standings([uri]));
    const isTakenDown = standing?.get(uri)?.isTakenDown;
    if (isTakenDown === undefined) return false;
    if (isTakenDown === applied) return true;
    const withStub = ctx.config.stubs && (await isEnrolled(ctx, did));
    const config = { ...ctx.config, stubs: withStub };
    await ctx.publisher.beforeWrite(did);
    const made = await ctx.actors.write(did, (actor) =>
      applied ? remove(ctx, actor, uri, { config, ref }) : putBack(ctx, actor, uri, config),
    );
    await ctx.actors.scrub(did);
    await ctx.publisher.publish(did, made);
    return true;
  });
}

type StubConfig = Parameters<typeof planChange>[0];

async function remove(
  ctx: NodeContext,
  actor: ActorTransactor,
  uri: AtUri,
  { config, ref }: { config: StubConfig; ref: string },
): Promise<MadeCommit> {
  const standing = (await actor.standings([uri])).get(uri);
  const record = await actor.record(uri);
  if (!standing || !record) throw new Error('the record is gone');
  const { collection, rkey } = record;
  const change = planChange(config, { action: 'delete', uri, collection, rkey }, standing);
  const made = await commit(ctx, actor, change);
  await actor.putTakenDown(record, ref);
  return made;
}

async function putBack(
  ctx: NodeContext,
  actor: ActorTransactor,
  uri: AtUri,
  config: StubConfig,
): Promise<MadeCommit> {
  const kept = await actor.takenDownRecord(uri);
  if (!kept) throw new Error('the content of the record is not kept');
  const { collection, rkey, cid } = kept;
  await actor.removeTakenDown([uri]);
  const change = planChange(
    config,
    {
      action: 'create',
      uri,
      collection,
      rkey,
      cid,
      bytes: kept.bytes,
      ...contentOf(kept, ctx.config.serviceDid),
      blobs: [],
      validationStatus: 'unknown',
    },
    undefined,
  );
  return commit(ctx, actor, change);
}

async function commit(
  ctx: NodeContext,
  actor: ActorTransactor,
  change: Change | undefined,
): Promise<MadeCommit> {
  if (!change) throw new Error('there is nothing to change');
  const next = await nextCommit(actor, await ctx.actorKeys.of(actor), [change]);
  return { seq: await actor.applyCommit(next), event: next.event };
}

/** Boundaries that cannot be read are none, which leaves the record to its author. */
function contentOf({ bytes }: StoredRecord, nodeDid: Did) {
  const record = decodeCanonicalMap(bytes);
  let boundaries: Boundary[] = [];
  try {
    boundaries = recordBoundaries(record, nodeDid);
  } catch {
    // @NOTE as it is read, too
  }
  return { record, boundaries };
}
