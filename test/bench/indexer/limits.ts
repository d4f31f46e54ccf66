import type { EmbeddedDatabase } from '@stratos/prisma';
import { SigningKey, verifySignature } from '@stratos/protocol';
import { Client } from 'pg';

const MEASURE_MS = 500;
const ROUNDS = 3;
const ROWS = 100;
const RECORD = Buffer.alloc(3_000, 'r');

/** What this machine can do at most, each alone, a second. */
export interface IndexerLimits {
  /** P-256 verifications on one core, of which each commit needs one. */
  verifications: number;
  /** Rows of 3 KB into a table with nothing but a primary key, on disk. */
  inserts: number;
}

export async function measureIndexerLimits(postgres: EmbeddedDatabase): Promise<IndexerLimits> {
  const key = SigningKey.generate('P-256');
  const message = Buffer.alloc(200, 'm');
  const signature = await key.sign(message);
  return {
    verifications: await bestRateOf(async () => {
      verifySignature(key.did(), message, signature);
      return 1;
    }),
    inserts: await insertRate(postgres),
  };
}

async function insertRate(postgres: EmbeddedDatabase): Promise<number> {
  await postgres.createDatabase('limits');
  const client = new Client(postgres.url('limits'));
  await client.connect();
  try {
    await client.query('create table written (id text primary key, content bytea)');
    const insert = `insert into written
      select gen_random_uuid(), decode(content, 'base64') from json_array_elements_text($1) content`;
    const rows = JSON.stringify(Array(ROWS).fill(RECORD.toString('base64')));
    return await bestRateOf(async () => {
      await client.query(insert, [rows]);
      return ROWS;
    });
  } finally {
    await client.end();
  }
}

async function bestRateOf(task: () => Promise<number>): Promise<number> {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < MEASURE_MS) done += await task();
    best = Math.max(best, (done * 1000) / (performance.now() - start));
  }
  return best;
}
