import { parseCid } from '@atproto/lex-data';
import type { DatetimeString } from '@atproto/syntax';
import { type Cid, type Did, signHeartbeat } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import { appendToCar } from '../repo/car.ts';
import type { CommitEvent, EventOp } from '../storage/actor-storage.ts';
import type { LogEvent } from '../storage/service-storage.ts';

const stream = zone.stratos.sync.subscribeService;
export type StreamMessage = zone.stratos.sync.subscribeService.$Message;

type FrameContext = Pick<NodeContext, 'actors' | 'service' | 'config' | 'nodeKey'>;

/** The frames of consecutive events, in their order. */
export async function framesOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<{ seq: number; message: StreamMessage }[]> {
  const memberships = await ctx.service.memberships.entries(refsOf(events, 'membership'));
  const commits = await commitsOf(ctx, events);
  return events.map((event) => {
    const { seq, did, time, ref } = event;
    const at = { seq, time: time as DatetimeString };
    if (event.kind === 'membership') {
      return {
        seq,
        message: stream.membership.build({ ...at, entry: found(memberships.get(ref)) }),
      };
    }
    return { seq, message: commitFrame(seq, did, found(commits.get(`${did} ${ref}`))) };
  });
}

/** A heartbeat for a consumer that has seen everything up to `seq`; undefined if there is more. */
export async function heartbeatAt(
  ctx: FrameContext,
  seq: number,
): Promise<StreamMessage | undefined> {
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
  return stream.heartbeat.build(frame);
}

interface EmittedCommit {
  event: CommitEvent;
  /** Those records of the commit that still exist. */
  records: ReadonlyMap<Cid, Uint8Array>;
}

async function commitsOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<Map<string, EmittedCommit>> {
  const commits = new Map<string, EmittedCommit>();
  const ofCommits = events.filter(({ kind }) => kind === 'commit');
  for (const [did, own] of Map.groupBy(ofCommits, (event) => event.did)) {
    await ctx.actors.read(did, async (actor) => {
      for (const [seq, event] of await actor.events(own.map(({ ref }) => ref))) {
        const cids = event.ops.flatMap(({ cid }) => cid ?? []);
        commits.set(`${did} ${seq}`, { event, records: await actor.blocks(cids) });
      }
    });
  }
  return commits;
}

function commitFrame(seq: number, did: Did, { event, records }: EmittedCommit): StreamMessage {
  return stream.commit.build({
    seq,
    did,
    time: event.time as DatetimeString,
    rev: event.rev,
    commit: parseCid(event.commit),
    ...(event.since && { since: event.since }),
    ...(event.prevData && { prevData: parseCid(event.prevData) }),
    blocks: appendToCar(event.proof, records),
    ops: event.ops.map(wireOp),
  });
}

function wireOp({ cid, prev, ...op }: EventOp) {
  return { ...op, ...(cid && { cid: parseCid(cid) }), ...(prev && { prev: parseCid(prev) }) };
}

function refsOf(events: readonly LogEvent[], kind: LogEvent['kind']): number[] {
  return events.filter((event) => event.kind === kind).map(({ ref }) => ref);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an event of the log has lost what it points to');
  return value;
}
