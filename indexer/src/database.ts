import { Prisma, type PrismaClient } from '@stratos/prisma';

export type Transaction = Prisma.TransactionClient;
export type Database = PrismaClient;

/** One transaction with time enough for the largest event. */
export function inTransaction<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return db.$transaction(work, { maxWait: 15_000, timeout: 30_000 });
}

/**
 * Held until the transaction ends by whoever changes what is known of a person at a node: what the node says
 * of them, and what decides who reads their posts.
 */
export async function lockActorAtNode(
  tx: Transaction,
  did: string,
  nodeDid: string,
): Promise<void> {
  await lockActorsAtNode(tx, [did], nodeDid);
}

/** The same for several people, in the one order in which everybody takes these locks. */
export async function lockActorsAtNode(
  tx: Transaction,
  dids: readonly string[],
  nodeDid: string,
): Promise<void> {
  await lock(tx, [...wordsOf(dids, nodeDid), ...readersOf(dids, nodeDid)]);
}

/**
 * The half of it for whoever changes what a node says of people, and nothing yet that others may read.
 * Before that they need {@link lockReaders} as well.
 */
export async function lockWords(
  tx: Transaction,
  dids: readonly string[],
  nodeDid: string,
): Promise<void> {
  await lock(tx, wordsOf(dids, nodeDid));
}

/**
 * The half of it for whoever changes who reads, or decides about it: firehose, node stream and revocations
 * would otherwise not see each other's uncommitted part. Taken once in a transaction, after the other half.
 */
export async function lockReaders(
  tx: Transaction,
  dids: readonly string[],
  nodeDid: string,
): Promise<void> {
  await lock(tx, readersOf(dids, nodeDid));
}

/**
 * Held as well, after the locks at nodes, by whoever makes people members of a node, and by whoever
 * changes what decides at all of their nodes: a membership that is not committed yet is not among those.
 */
export async function lockActors(tx: Transaction, dids: readonly string[]): Promise<void> {
  await lock(tx, dids.toSorted());
}

function wordsOf(dids: readonly string[], nodeDid: string): string[] {
  return dids.toSorted().map((did) => `${did} ${nodeDid}`);
}

function readersOf(dids: readonly string[], nodeDid: string): string[] {
  return dids.toSorted().map((did) => `${did} ${nodeDid} readers`);
}

async function lock(tx: Transaction, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.$executeRaw`
    select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(${[...keys]}::text[]) as key`;
}

/** True when the database refuses the values, or they exceed what it can hold, and would again. */
export function isUnstorable(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientValidationError) return true;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return sqlStates(error).some((code) => /^(2[23]|54)/.test(code));
}

/** True when the database has no room: no disk, no memory, no connections; or its files fail it. */
export function isShortage(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  return sqlStates(error).some((code) => /^5[38]/.test(code));
}

function sqlStates(error: Prisma.PrismaClientKnownRequestError): string[] {
  const found: string[] = [];
  let current: unknown = error.meta?.['driverAdapterError'];
  for (let depth = 0; depth < 4 && typeof current === 'object' && current !== null; depth++) {
    const { originalCode, cause } = current as { originalCode?: unknown; cause?: unknown };
    if (typeof originalCode === 'string') found.push(originalCode);
    current = cause;
  }
  return found;
}
