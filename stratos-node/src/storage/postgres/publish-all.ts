import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { PublishedCommit } from '../service-storage.ts';
import type { PostgresServiceTables } from './service-tables.ts';

/**
 * Carries those of the commits that are the next of their actor into the stream and the outbox, with
 * as many statements for a hundred as for one.
 *
 * @returns of each whether it was
 */
export async function publishAll(
  tx: Kysely<PostgresServiceTables>,
  commits: readonly PublishedCommit[],
): Promise<boolean[]> {
  const published = await publishedSeqs(tx, commits);
  const results = commits.map(({ did, seq }) => {
    const isNext = (published.get(did) ?? 0) === seq - 1;
    if (isNext) published.set(did, seq);
    return isNext;
  });
  const next = commits.filter((_, index) => results[index]);
  if (next.length === 0) return results;
  await tx
    .insertInto('service_seq')
    .values(next.map(({ did, seq, time }) => ({ did, kind: 'commit' as const, ref: seq, time })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await addStubs(tx, next);
  const positions = new Map(next.map(({ did, seq }) => [did, seq]));
  await tx
    .insertInto('actor_publication')
    .values(Array.from(positions, ([did, publishedSeq]) => ({ did, publishedSeq })))
    .onConflict((conflict) =>
      conflict
        .column('did')
        .doUpdateSet(({ ref }) => ({ publishedSeq: ref('excluded.publishedSeq') })),
    )
    .execute();
  return results;
}

async function publishedSeqs(
  tx: Kysely<PostgresServiceTables>,
  commits: readonly PublishedCommit[],
): Promise<Map<Did, number>> {
  const dids = [...new Set(commits.map(({ did }) => did))];
  const rows = await tx
    .selectFrom('actor_publication')
    .select(['did', 'publishedSeq'])
    .where('did', 'in', dids)
    .execute();
  return new Map(rows.map(({ did, publishedSeq }) => [did, publishedSeq]));
}

async function addStubs(
  tx: Kysely<PostgresServiceTables>,
  commits: readonly PublishedCommit[],
): Promise<void> {
  const createdAt = new Date().toISOString();
  const rows = commits.flatMap(({ did, stubs }) =>
    stubs.map((change) => ({
      did,
      job: JSON.stringify({ kind: 'stub', change }),
      attempts: 0,
      dueAt: 0,
      parkedReason: null,
      createdAt,
    })),
  );
  while (rows.length > 0) {
    await tx.insertInto('outbox').values(rows.splice(0, 1_000)).execute();
  }
}
