import type { PublishedCommit } from '../service-storage.ts';
import type { Prepare } from './connection.ts';
import { APPEND } from './event-log.ts';
import { ADD } from './outbox-store.ts';
import { ADVANCE, PUBLISHED } from './publication-store.ts';

/** Carries a commit into the stream and the outbox if it is the next of its actor, within one turn. */
export function publishNext(prepare: Prepare, commit: PublishedCommit): boolean {
  const { did, seq, time, stubs } = commit;
  const published = prepare<{ publishedSeq: number }>(PUBLISHED).get(did)?.publishedSeq ?? 0;
  if (published !== seq - 1) return false;
  prepare(APPEND).run(did, 'commit', seq, time);
  const createdAt = new Date().toISOString();
  for (const change of stubs) {
    prepare(ADD).run(did, JSON.stringify({ kind: 'stub', change }), createdAt);
  }
  prepare(ADVANCE).run(did, seq);
  return true;
}
