import type { AtUri, Cid, Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import type { ActorReader, CommitEvent, EventOp, RecordContent } from '../storage/actor-storage.ts';
import type { LogEvent } from '../storage/service-storage.ts';
import type { EmittedCommit } from './commit-frame.ts';
import { withContent } from './content-rule.ts';

/** Bytes after which no more is read for one consumer at once. */
const ENOUGH_BYTES = 1024 * 1024;
/** About what an operation takes besides the proof and the record. */
const BYTES_PER_OP = 512;
/** Commits of one author whose events are read at once. */
const EVENTS_PER_READ = 25;
/** Operations after which no more records are read at once. */
const ENOUGH_OPS = 100;

export interface ReadCommits {
  /** By position in the stream; those that it lacks are no longer kept. */
  commits: ReadonlyMap<number, EmittedCommit>;
  /** The position before which all were read. */
  end: number;
}

/**
 * Reads the commits of events, as of now: from the first one on as many as make about a megabyte,
 * and the first one in any case.
 */
export async function readCommits(
  ctx: Pick<NodeContext, 'actors' | 'service'>,
  events: readonly LogEvent[],
): Promise<ReadCommits> {
  const commits = new Map<number, EmittedCommit>();
  const byAuthor = Map.groupBy(
    events.filter(({ kind }) => kind === 'commit'),
    (event) => event.did,
  );
  const open = await withContent(ctx, [...byAuthor.keys()], 'AppView');
  let bytes = 0;
  let end = Number.POSITIVE_INFINITY;
  for (const [did, own] of byAuthor) {
    await ctx.actors.read(did, async (actor) => {
      for await (const part of partsOf(actor, own)) {
        const [first] = part;
        if (bytes >= ENOUGH_BYTES && first) {
          end = Math.min(end, first.seq);
          return;
        }
        const made = open.has(did) ? part.flatMap(({ event }) => madeBy(did, event?.ops)) : [];
        const contents = await actor.contents(made.map(([uri]) => uri));
        const stored = new Map(contents.map((content) => [content.uri, content]));
        for (const { seq, event } of part) {
          if (!event) continue;
          const commit = { seq, did, event, records: living(did, event.ops, stored) };
          commits.set(seq, commit);
          bytes += bytesOf(commit);
        }
      }
    });
  }
  return { commits, end };
}

interface KeptEvent {
  seq: number;
  /** Undefined if it is no longer kept. */
  event: CommitEvent | undefined;
}

/** The commits of one author in their order, those together that change few records. */
async function* partsOf(
  actor: Pick<ActorReader, 'events'>,
  own: readonly LogEvent[],
): AsyncGenerator<KeptEvent[]> {
  for (let start = 0; start < own.length; start += EVENTS_PER_READ) {
    const asked = own.slice(start, start + EVENTS_PER_READ);
    const kept = await actor.events(asked.map(({ ref }) => ref));
    let part: KeptEvent[] = [];
    let ops = 0;
    for (const { seq, ref } of asked) {
      const event = kept.get(ref);
      part.push({ seq, event });
      ops += event?.ops.length ?? 0;
      if (ops < ENOUGH_OPS) continue;
      yield part;
      part = [];
      ops = 0;
    }
    if (part.length > 0) yield part;
  }
}

/** The bytes of those records that are still what the operations made them, and not taken down. */
function living(
  did: Did,
  ops: readonly EventOp[],
  stored: ReadonlyMap<AtUri, RecordContent>,
): Map<Cid, Uint8Array> {
  const records = new Map<Cid, Uint8Array>();
  if (stored.size === 0) return records;
  for (const [uri, cid] of madeBy(did, ops)) {
    const record = stored.get(uri);
    if (record?.cid === cid) records.set(cid, record.bytes);
  }
  return records;
}

/** The records that operations created or updated, as they were from then on. */
function madeBy(did: Did, ops: readonly EventOp[] = []): [AtUri, Cid][] {
  return ops.flatMap(({ cid, path }) => (cid ? [[`at://${did}/${path}` as AtUri, cid]] : []));
}

function bytesOf({ event, records }: EmittedCommit): number {
  let bytes = event.proof.length + BYTES_PER_OP * event.ops.length;
  for (const record of records.values()) bytes += record.length;
  return bytes;
}
