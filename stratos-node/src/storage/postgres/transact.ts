import { type Kysely, sql } from 'kysely';

/**
 * Runs `task` in a transaction on a connection of its own.
 *
 * @param begin - the statements that open it, sent in one go
 */
export async function transact<Tables, T>(
  db: Kysely<Tables>,
  begin: string,
  task: (tx: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (tx) => {
    try {
      await sql.raw(begin).execute(tx);
      const result = await task(tx);
      // @NOTE Postgres answers COMMIT of a failed transaction by silently rolling back; SELECT fails then
      await sql.raw('SELECT 1; COMMIT').execute(tx);
      return result;
    } catch (error) {
      await sql`ROLLBACK`.execute(tx).catch(() => undefined);
      throw error;
    }
  });
}
