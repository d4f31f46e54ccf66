import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { Prisma } from '../generated/client.ts';
import { ReadPool } from './read-pool.ts';
import { createTestDatabase } from './testing/index.ts';

test('a connection that is dropped between two statements fails its snapshot, and nothing else', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using pool = new ReadPool(database.url, { poolSize: 1 });
  const reading = pool.snapshot(async (transaction) => {
    const [backend] = await transaction.$queryRaw<{ pid: number }[]>(
      Prisma.sql`select pg_backend_pid() as pid`,
    );
    await terminate(database.url, backend?.pid ?? 0);
    await sleep(200);
    return transaction.$queryRaw(Prisma.sql`select 1`);
  });
  await expect(reading).rejects.toThrow();
  expect(await pool.$queryRaw(Prisma.sql`select 1 as one`)).toEqual([{ one: 1 }]);
});

async function terminate(connectionString: string, pid: number): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query('select pg_terminate_backend($1)', [pid]);
  await client.end();
}
