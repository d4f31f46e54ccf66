import type { Database } from 'better-sqlite3';
import type { RootRow } from './verify-repo.ts';

interface LogRow {
  seq: number;
  rev: string;
  event: string;
}

/** Whether an actor's log is without gaps, each commit follows the one before, and the last is the repo's. */
export function* verifyLog(actor: Database, root: RootRow | undefined): Generator<string> {
  const hasForgotten = actor.prepare('SELECT 1 FROM stratos_seq_floor').get() !== undefined;
  const rows = actor.prepare<[], LogRow>('SELECT seq, rev, event FROM stratos_seq ORDER BY seq');
  let previous: { seq: number; rev: string; commit: string } | undefined;
  for (const { seq, rev, event } of rows.iterate()) {
    const { since, commit } = JSON.parse(event);
    const isFirstKept = !previous && hasForgotten;
    if (!isFirstKept && seq !== (previous?.seq ?? 0) + 1) yield `the log has a gap before ${seq}`;
    if (!isFirstKept && since !== previous?.rev) {
      yield `commit ${seq} of the log does not follow the one before`;
    }
    previous = { seq, rev, commit };
  }
  if (!previous) return;
  if (previous.rev !== root?.rev || previous.commit !== root?.cid) {
    yield 'the newest commit of the log is not that of the repo';
  }
}
