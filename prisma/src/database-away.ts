import { DatabaseError } from 'pg';

/** The database cannot be asked: it is away, on its way up or down, or lets nobody in. */
export class DatabaseAwayError extends Error {
  override name = 'DatabaseAwayError';
}

/** Classes of SQLSTATE by which Postgres turns somebody away: connections, resources, an operator. */
const TURNED_AWAY = /^(08|53|57P)/;

/** Throws {@link DatabaseAwayError}, because there is no connection. */
export function notConnected(cause: unknown): never {
  throw new DatabaseAwayError('the database cannot be asked', { cause });
}

/** Throws the same where Postgres gave no answer to a statement, and its answer where it did. */
export function notAnswered(cause: unknown): never {
  const isAnswer = cause instanceof DatabaseError && !TURNED_AWAY.test(cause.code ?? '');
  if (isAnswer) throw cause;
  notConnected(cause);
}
