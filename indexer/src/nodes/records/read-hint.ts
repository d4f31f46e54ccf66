import { type Did, isTid, type Tid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';
import { type NodeEvent, positionOf } from '../../applying/node-event.ts';
import { GarbledStreamError } from '../node-stream.ts';

/** What a stream of one repo says without proving it. */
export interface Hint {
  /** Its place in that stream; undefined when events before it are lost. */
  seq: number | undefined;
  /** Of the repo by then, if it says so. */
  rev: Tid | undefined;
  /** Posts that are another now, or gone. */
  outdated: string[];
}

/** Events of a stream are lost: anything may have changed. */
export const LOSS: Hint = { seq: undefined, rev: undefined, outdated: [] };

const op = z.object({ action: z.string(), path: z.string().max(512) });
const commit = z.object({
  did: z.string(),
  rev: z.custom<Tid>(isTid),
  ops: z.array(op).max(1_000),
});

/**
 * Reads an event of somebody's stream as leniently as older nodes write it: paths with a slash in front
 * or without.
 *
 * @returns undefined for what says nothing of the repo
 * @throws GarbledStreamError
 */
export function readHint({ type, body }: NodeEvent, did: Did): Hint | undefined {
  if (type === '#info') return LOSS;
  if (type !== '#commit') return undefined;
  const parsed = commit.safeParse(body);
  const seq = positionOf(body);
  if (!parsed.success || seq === undefined || parsed.data.did !== did) {
    throw new GarbledStreamError('an event is not of the repo that was asked for');
  }
  const { rev, ops } = parsed.data;
  const prefix = `${zone.stratos.feed.post.$nsid}/`;
  const outdated = ops
    .filter(({ action }) => action !== 'create')
    .map(({ path }) => path.replace(/^\//, ''))
    .filter((path) => path.startsWith(prefix))
    .map((path) => `at://${did}/${path}`);
  return { seq, rev, outdated };
}
