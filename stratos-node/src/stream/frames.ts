import type { DatetimeString } from '@atproto/syntax';
import { type Frame, MessageFrame } from '@atproto/xrpc-server';
import { type AtUri, type Cid, type Did, signHeartbeat } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import type { EventOp, RecordContent } from '../storage/actor-storage.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import { CommitFrames, type EmittedCommit } from './commit-frame.ts';
import { withContent } from './content-rule.ts';

const stream = zone.stratos.sync.subscribeService;

type FrameContext = Pick<NodeContext, 'actors' | 'service' | 'config' | 'nodeKey'>;

/**
 * The frames of events, in their order, as of now; undefined for those whose commit is no longer
 * kept.
 */
export async function framesOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<(Frame | undefined)[]> {
  const memberships = await ctx.service.memberships.entries(refsOf(events, 'membership'));
  const commits = await commitsOf(ctx, events);
  const commitFrames = new CommitFrames(commits.values());
  return events.map(({ kind, seq, time, ref }) => {
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

/** By position in the stream. */
async function commitsOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<Map<number, EmittedCommit>> {
  const commits = new Map<number, EmittedCommit>();
  const ofCommits = events.filter(({ kind }) => kind === 'commit');
  const byAuthor = Map.groupBy(ofCommits, (event) => event.did);
  const open = await withContent(ctx, [...byAuthor.keys()], 'AppView');
  for (const [did, own] of byAuthor) {
    await ctx.actors.read(did, async (actor) => {
      const kept = await actor.events(own.map(({ ref }) => ref));
      const uris = open.has(did) ? kept.values().flatMap(({ ops }) => madeBy(did, ops).keys()) : [];
      const contents = await actor.contents([...uris]);
      const stored = new Map(contents.map((content) => [content.uri, content]));
      for (const { seq, ref } of own) {
        const event = kept.get(ref);
        if (event) commits.set(seq, { seq, did, event, records: living(did, event.ops, stored) });
      }
    });
  }
  return commits;
}

/** The bytes of those records that are still what the operations made them, and not taken down. */
function living(
  did: Did,
  ops: readonly EventOp[],
  stored: ReadonlyMap<AtUri, RecordContent>,
): Map<Cid, Uint8Array> {
  const records = new Map<Cid, Uint8Array>();
  for (const [uri, cid] of madeBy(did, ops)) {
    const record = stored.get(uri);
    if (record?.cid === cid) records.set(cid, record.bytes);
  }
  return records;
}

/** The records that operations created or updated, as they were from then on. */
function madeBy(did: Did, ops: readonly EventOp[]): Map<AtUri, Cid> {
  return new Map(
    ops.flatMap(({ cid, path }) => (cid ? [[`at://${did}/${path}` as AtUri, cid]] : [])),
  );
}

function refsOf(events: readonly LogEvent[], kind: LogEvent['kind']): number[] {
  return events.filter((event) => event.kind === kind).map(({ ref }) => ref);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an event of the log has lost what it points to');
  return value;
}
