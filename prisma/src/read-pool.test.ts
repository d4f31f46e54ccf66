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

test.each([
  '2026-11-20 10:00:00+00',
  '2026-11-20 10:00:00.123+00',
  '1969-12-31 23:59:59.999+00',
  '1970-01-01 00:00:00+00',
  '0099-01-01 00:00:00+00',
  '12026-01-01 10:00:00+00',
  '0044-03-15 12:00:00+00 BC',
  'infinity',
  '-infinity',
])('%s is read as the driver reads it', async (moment) => {
  await using database = await createTestDatabase({ empty: true });
  await using pool = new ReadPool(database.url, { poolSize: 1 });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  for (const zone of ['UTC', 'Asia/Kathmandu']) {
    const read = Prisma.sql`select ${moment}::timestamptz as at, set_config('timezone', ${zone}, false)`;
    await pool.$queryRaw(read);
    await client.query(read.text, read.values);
    const { rows } = await client.query(read.text, read.values);
    expect(await pool.$queryRaw(read)).toEqual(rows);
  }
  await client.end();
});

async function terminate(connectionString: string, pid: number): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query('select pg_terminate_backend($1)', [pid]);
  await client.end();
}
