import type { Did } from '@stratos/protocol';
import type { Database } from 'better-sqlite3';

interface Publication {
  publishedSeq: number;
  dirty: number;
}

/** Whether the node's stream has of an actor's log what it says, and the log all that was published. */
export function* verifyPublication(
  service: Database,
  actor: Database,
  did: Did,
): Generator<string> {
  // @NOTE in this order, so that a node that writes meanwhile cannot make it look wrong
  const before = publicationOf(service, did);
  const streamed = service
    .prepare<[Did], number>(
      "SELECT coalesce(max(ref), 0) FROM service_seq WHERE kind = 'commit' AND did = ?",
    )
    .pluck()
    .get(did) as number;
  const last = lastOf(actor);
  const after = publicationOf(service, did);
  if (before.publishedSeq > last || streamed > last) {
    yield `the stream is at ${Math.max(before.publishedSeq, streamed)} of a log that ends at ${last}`;
  }
  if (after.dirty === 0 && after.publishedSeq < last) {
    yield `commits ${after.publishedSeq + 1} to ${last} are not published, and nobody would notice`;
  }
}

function publicationOf(service: Database, did: Did): Publication {
  const row = service
    .prepare<[Did], Publication>('SELECT publishedSeq, dirty FROM actor_publication WHERE did = ?')
    .get(did);
  return row ?? { publishedSeq: 0, dirty: 0 };
}

function lastOf(actor: Database): number {
  const last = actor
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'stratos_seq'")
    .pluck()
    .get();
  return last ?? 0;
}
