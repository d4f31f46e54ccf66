import type { DatetimeString } from '@atproto/syntax';
import { type Frame, MessageFrame } from '@atproto/xrpc-server';
import { signHeartbeat } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import { CommitFrames } from './commit-frame.ts';
import { readCommits } from './read-commits.ts';

const stream = zone.stratos.sync.subscribeService;

type FrameContext = Pick<NodeContext, 'actors' | 'service' | 'config' | 'nodeKey'>;

/**
 * The frames of the first of some events, and of as many after it as one consumer may have in
 * memory, in their order and as of now; undefined for those whose commit is no longer kept.
 */
export async function framesOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<(Frame | undefined)[]> {
  const { commits, end } = await readCommits(ctx, events);
  const read = events.filter(({ seq }) => seq < end);
  const memberships = await ctx.service.memberships.entries(membershipsOf(read));
  const commitFrames = new CommitFrames(commits.values());
  return read.map(({ kind, seq, time, ref }) => {
    if (kind === 'membership') {
      const entry = found(memberships.get(ref));
      return toFrame(stream.membership.build({ seq, time: time as DatetimeString, entry }));
    }
    const commit = commits.get(seq);
    return commit && commitFrames.frame(commit);
  });
}

/** A message that is not a commit, as a frame. */
export function toFrame(message: zone.stratos.sync.subscribeService.$Message): Frame {
  return MessageFrame.fromLexValue(message, stream.$nsid);
}

/** A heartbeat for a consumer that has seen everything up to `seq`; undefined if there is more. */
export async function heartbeatAt(ctx: FrameContext, seq: number): Promise<Frame | undefined> {
  const { head, membership } = await ctx.service.transact(async (stores) => ({
    head: await stores.events.head(),
    membership: await stores.memberships.head(),
  }));
  if (head !== seq) return undefined;
  const frame = await signHeartbeat(
    {
      service: ctx.config.serviceDid,
      seq,
      time: new Date(),
      membershipSeq: membership?.seq ?? 0,
      membershipHead: membership?.cid,
    },
    ctx.nodeKey,
  );
  return toFrame(stream.heartbeat.build(frame));
}

function membershipsOf(events: readonly LogEvent[]): number[] {
  return events.filter(({ kind }) => kind === 'membership').map(({ ref }) => ref);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an event of the log has lost what it points to');
  return value;
}
