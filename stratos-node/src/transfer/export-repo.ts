import { setImmediate } from 'node:timers/promises';
import type { Cid, Tid } from '@stratos/protocol';
import type { ActorReader } from '../storage/actor-storage.ts';
import { CarWriter } from './car-writer.ts';

const BLOCKS_PER_READ = 250;

/**
 * A repo as a CAR, in chunks: its newest commit, then the tree and the records. What is stored of a
 * repo is exactly what its newest commit reaches.
 *
 * @param actor - a snapshot that lasts as long as the export
 * @param since - only what is newer than this revision
 */
export async function* exportRepo(
  actor: ActorReader,
  root: Cid,
  since?: Tid,
): AsyncGenerator<Uint8Array> {
  const car = new CarWriter(root);
  const commit = await actor.block(root);
  if (!commit) throw new Error('the repo has lost its newest commit');
  car.add(root, commit);
  // @NOTE no CID is greater than this, so the revision itself is passed over
  let after = since === undefined ? { rev: '', cid: '' } : { rev: since, cid: '~' };
  for (;;) {
    const blocks = await actor.blockPage({ after, limit: BLOCKS_PER_READ });
    for (const { cid, bytes } of blocks) {
      if (cid !== root) car.add(cid, bytes);
    }
    yield* car.takeFull();
    const last = blocks.at(-1);
    if (!last || blocks.length < BLOCKS_PER_READ) break;
    after = last;
    // @NOTE SQLite answers without a turn of the event loop, and others need theirs
    await setImmediate();
  }
  yield car.takeRest();
}
