import { Prisma } from '@stratos/prisma';
import type { Database, Transaction } from '../database.ts';
import { type Fence, isAlive, TakenOverError } from './fence.ts';

export interface SourceClaim {
  fence: Fence;
  /** Position up to which everything is applied. */
  cursor: number;
}

/** Takes a source that nobody follows; undefined while another indexer does. */
export async function claimSource(
  db: Database,
  follower: string,
  source: string,
): Promise<SourceClaim | undefined> {
  const [row] = await db.$queryRaw<{ seq: bigint; follow_epoch: bigint }[]>`
    insert into stratos_sync_cursor as c (source, seq, follower, follow_epoch, updated_at)
    select ${source}, 0, ${follower}, 1, now() where ${isAlive(Prisma.sql`${follower}`)}
    on conflict (source) do update set follower = ${follower}, follow_epoch = c.follow_epoch + 1
    where not ${isAlive(Prisma.sql`c.follower`)}
    returning seq, follow_epoch`;
  return row && { fence: { follower, epoch: row.follow_epoch }, cursor: Number(row.seq) };
}

/**
 * Keeps others from taking over the source until the transaction ends.
 *
 * @throws TakenOverError when one has
 */
export async function holdSource(tx: Transaction, source: string, fence: Fence): Promise<void> {
  const rows = await tx.$queryRaw<unknown[]>`
    select 1 from stratos_sync_cursor
    where source = ${source} and follower = ${fence.follower} and follow_epoch = ${fence.epoch}
    for share`;
  if (rows.length === 0) throw new TakenOverError();
}

/** Whether the source is still followed under this claim. */
export async function hasSource(db: Database, source: string, fence: Fence): Promise<boolean> {
  const { follower, epoch: followEpoch } = fence;
  return (await db.syncCursor.count({ where: { source, follower, followEpoch } })) > 0;
}

/**
 * Notes up to where the source is applied.
 *
 * @throws TakenOverError
 */
export async function saveSourceCursor(
  db: Database,
  { source, fence, seq }: { source: string; fence: Fence; seq: number },
): Promise<void> {
  const { follower, epoch: followEpoch } = fence;
  const where = { source, follower, followEpoch };
  const { count } = await db.syncCursor.updateMany({ where, data: { seq } });
  if (count === 0) throw new TakenOverError();
}

/** Leaves the source to whoever takes it next. */
export async function giveBackSource(db: Database, source: string, fence: Fence): Promise<void> {
  const { follower, epoch: followEpoch } = fence;
  const where = { source, follower, followEpoch };
  await db.syncCursor.updateMany({ where, data: { follower: null } });
}
