import { parseCid } from '@atproto/lex-data';
import type { DatetimeString } from '@atproto/syntax';
import { type AtUri, type Cid, type Did, signHeartbeat } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../context.ts';
import { appendToCar } from '../repo/car.ts';
import type { ActorReader, CommitEvent, EventOp } from '../storage/actor-storage.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import { withContent } from './content-rule.ts';

const stream = zone.stratos.sync.subscribeService;
export type StreamMessage = zone.stratos.sync.subscribeService.$Message;

type FrameContext = Pick<NodeContext, 'actors' | 'service' | 'config' | 'nodeKey'>;

/**
 * The frames of events, in their order, as of now; undefined for those whose commit is no longer
 * kept.
 */
export async function framesOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<(StreamMessage | undefined)[]> {
  const memberships = await ctx.service.memberships.entries(refsOf(events, 'membership'));
  const commits = await commitsOf(ctx, events);
  return events.map((event) => {
    const { seq, did, time, ref } = event;
    const at = { seq, time: time as DatetimeString };
    if (event.kind === 'membership') {
      return stream.membership.build({ ...at, entry: found(memberships.get(ref)) });
    }
    const commit = commits.get(`${did} ${ref}`);
    return commit && commitFrame(seq, did, commit);
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
  /** Those records of the commit that still exist and that the stream may carry. */
  records: ReadonlyMap<Cid, Uint8Array>;
}

async function commitsOf(
  ctx: FrameContext,
  events: readonly LogEvent[],
): Promise<Map<string, EmittedCommit>> {
  const commits = new Map<string, EmittedCommit>();
  const ofCommits = events.filter(({ kind }) => kind === 'commit');
  const byAuthor = Map.groupBy(ofCommits, (event) => event.did);
  const open = await withContent(ctx, [...byAuthor.keys()], 'AppView');
  for (const [did, own] of byAuthor) {
    await ctx.actors.read(did, async (actor) => {
      for (const [seq, event] of await actor.events(own.map(({ ref }) => ref))) {
        const records = open.has(did) ? await livingRecords(actor, event.ops) : new Map();
        commits.set(`${did} ${seq}`, { event, records });
      }
    });
  }
  return commits;
}

/** The bytes of those records that are still what the operations made them, and not taken down. */
async function livingRecords(
  actor: ActorReader,
  ops: readonly EventOp[],
): Promise<Map<Cid, Uint8Array>> {
  const made = new Map(
    ops.flatMap(({ cid, path }) => (cid ? [[`at://${actor.did}/${path}` as AtUri, cid]] : [])),
  );
  const stored = await actor.records([...made.keys()]);
  return new Map(
    stored
      .values()
      .filter(({ uri, cid }) => made.get(uri) === cid)
      .map(({ cid, bytes }) => [cid, bytes]),
  );
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
