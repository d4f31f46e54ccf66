import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SigningKey, verifySignature } from '@stratos/protocol';
import Database from 'better-sqlite3';
import { Child } from '../child.ts';
import { load, type Prepared } from '../load.ts';

const MEASURE_MS = 300;
/** The best of these counts, as others may use the machine too. */
const ROUNDS = 5;

/** What this machine can do at most, each alone and on one core, a second. */
export interface Limits {
  /** Transactions of 1 KB that are on disk when they return (WAL, synchronous = FULL). */
  transactions: number;
  /** P-256 signatures, of which a commit needs one. */
  signatures: number;
  /** secp256k1 verifications, of which a service-auth token needs one. */
  verifications: number;
  /** P-256 verifications, of which a DPoP proof needs one. */
  proofs: number;
  /** Requests with a JSON body, answered with it by an Express that does nothing else. */
  requests: number;
}

/** How often something needs what the machine is limited in. */
export type Needs = Partial<Record<keyof Limits, number>>;

/** How often a second one core could do what has these needs, and nothing else. */
export function mostPerSecond(limits: Limits, needs: Needs): number {
  const seconds = (Object.keys(limits) as (keyof Limits)[]).map(
    (limit) => (needs[limit] ?? 0) / limits[limit],
  );
  return 1 / seconds.reduce((sum, each) => sum + each);
}

export async function measureLimits(connections: number): Promise<Limits> {
  const message = Buffer.alloc(200, 'm');
  const repoKey = SigningKey.generate('P-256');
  const personKey = SigningKey.generate('secp256k1');
  const signature = await personKey.sign(message);
  const proof = await repoKey.sign(message);
  return {
    transactions: await transactionRate(),
    signatures: await bestRateOf(() => repoKey.sign(message)),
    verifications: await bestRateOf(() => verifySignature(personKey.did(), message, signature)),
    proofs: await bestRateOf(() => verifySignature(repoKey.did(), message, proof)),
    requests: await requestRate(connections),
  };
}

async function transactionRate(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'stratos-bench-'));
  const db = new Database(join(folder, 'limit.sqlite'));
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('create table written (id integer primary key, content blob)');
    const insert = db.prepare('insert into written (content) values (?)');
    const content = Buffer.alloc(1024, 'c');
    return await bestRateOf(() => insert.run(content));
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
}

async function bestRateOf(task: () => unknown): Promise<number> {
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let done = 0;
    for (; performance.now() - start < MEASURE_MS; done++) await task();
    best = Math.max(best, (done * 1000) / (performance.now() - start));
  }
  return best;
}

async function requestRate(connections: number): Promise<number> {
  await using service = await Child.start(new URL('./express-process.ts', import.meta.url));
  const body = JSON.stringify({ text: 'x'.repeat(400) });
  const headers = { 'content-type': 'application/json' };
  const requests = Array<Prepared>(4_000).fill({ path: '/', headers, body });
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    best = Math.max(best, (await load(service.url, requests, connections)).perSecond);
  }
  return best;
}
