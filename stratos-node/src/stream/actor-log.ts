import type {
  ActorReader,
  ActorTransactor,
  CommitEvent,
  EventOp,
} from '../storage/actor-storage.ts';

/** Positions in the stream of a repo that each of its commits takes up, as the lexicon says. */
const POSITIONS_PER_COMMIT = 1_000;
const COMMITS_PER_READ = 50;

/** One change at its position in the stream of a repo. */
export interface LoggedOp {
  seq: number;
  event: CommitEvent;
  op: EventOp;
}

export interface LogPart {
  /** The greatest position that is no longer kept. */
  floor: number;
  /** Changes after the position that was asked for, in order. */
  ops: LoggedOp[];
  /** The position that they lead to. */
  end: number;
  /** Whether there may be more after it. */
  isFull: boolean;
}

/** Part of the stream of a repo. */
export async function logAfter(actor: ActorReader, seq: number): Promise<LogPart> {
  const floor = await actor.eventFloor();
  const start = Math.max(seq, floor);
  const before = Math.floor(start / POSITIONS_PER_COMMIT) - 1;
  const events = [...(await actor.eventsAfter(before, COMMITS_PER_READ))];
  const ops = events
    .flatMap(([commit, event]) =>
      event.ops.map((op, i) => ({ seq: commit * POSITIONS_PER_COMMIT + i, event, op })),
    )
    .filter((op) => op.seq > start);
  return {
    floor,
    ops,
    end: Math.max(start, ...lastPositions(events)),
    isFull: events.length === COMMITS_PER_READ,
  };
}

/** The newest position in the stream of a repo, whether it is still kept or not; 0 if there is none. */
export async function logHead(actor: ActorReader): Promise<number> {
  const newest = await actor.newestEvent();
  return Math.max(await actor.eventFloor(), ...lastPositions(newest ? [newest] : []));
}

/** Deletes what an actor's log has up to a commit. */
export async function forgetLog(actor: ActorTransactor, commit: number): Promise<void> {
  for (;;) {
    const oldest = [...(await actor.eventsAfter(0, COMMITS_PER_READ))];
    const forgotten = oldest.filter(([seq]) => seq <= commit);
    const [last] = forgotten.at(-1) ?? [];
    if (last === undefined) return;
    await actor.forgetEvents(last, Math.max(0, ...lastPositions(forgotten)));
  }
}

/** Where each commit ends; one that changes no record takes up no position. */
function lastPositions(events: readonly (readonly [number, CommitEvent])[]): number[] {
  return events
    .filter(([, { ops }]) => ops.length > 0)
    .map(([commit, { ops }]) => commit * POSITIONS_PER_COMMIT + ops.length - 1);
}
