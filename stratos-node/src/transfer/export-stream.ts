import { Readable } from 'node:stream';
import type { Did, Tid } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { cutWhenStalled } from '../stream/stall-guard.ts';
import { exportRepo } from './export-repo.ts';

/** Milliseconds after which a client who takes nothing is cut off. */
const STALL_MS = 30_000;
/** Milliseconds that one export may take; what was deleted meanwhile stays in the files until then. */
const MAX_EXPORT_MS = 30 * 60_000;

export interface ExportOptions {
  /** Only what is newer than this revision. */
  since: Tid | undefined;
  /** What is given back when the export is over. */
  slot: Disposable;
  /** Whether the caller may still read the repo; asked again and again. */
  mayGoOn: () => Promise<boolean>;
}

/**
 * A repo as a CAR, as fast as it is taken. Owns what it reads from until it is closed.
 *
 * @returns undefined if there is no such repo
 */
export async function exportStream(
  ctx: Pick<NodeContext, 'actors' | 'stopping'>,
  did: Did,
  { since, slot, mayGoOn }: ExportOptions,
): Promise<Readable | undefined> {
  await using opened = new AsyncDisposableStack();
  opened.use(slot);
  const snapshot = opened.use(await ctx.actors.snapshot(did));
  const root = await snapshot?.actor.root();
  if (!snapshot || !root) return undefined;
  const ends = AbortSignal.any([ctx.stopping, AbortSignal.timeout(MAX_EXPORT_MS)]);
  const chunks = cutWhenStalled(
    whileAllowed(exportRepo(snapshot.actor, root.cid, since), mayGoOn),
    () => car.destroy(),
    STALL_MS,
  );
  const car: Readable = Readable.from(chunks, { objectMode: false, signal: ends });
  const owned = opened.move();
  car.once('close', () => void owned.disposeAsync());
  return car;
}

/** Ends with an error as soon as the caller may read no more, so that nobody takes it for the whole. */
async function* whileAllowed(
  chunks: AsyncIterable<Uint8Array>,
  mayGoOn: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (!(await mayGoOn())) throw new NodeError('RepoNotFound');
    yield chunk;
  }
}
