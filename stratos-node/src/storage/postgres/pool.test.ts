import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { createTestDatabase } from '../../testing/test-database.ts';
import { openPool } from './pool.ts';

it('fails the statement after a connection was lost, and goes on with another', async () => {
  await using database = await createTestDatabase();
  await using pool = openPool(database.url, { max: 1, logger: silentLogger });
  await using admin = openPool(database.url, { max: 1, logger: silentLogger });
  const interrupted = pool.transaction().execute(async (tx) => {
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
    await sql`SELECT pg_terminate_backend(${rows[0]?.pid})`.execute(admin);
    await sleep(100);
    await sql`SELECT 1`.execute(tx);
  });
  await expect(interrupted).rejects.toThrow();
  const { rows } = await sql`SELECT 1 AS one`.execute(pool);
  expect(rows).toEqual([{ one: 1 }]);
});
