import { join } from 'node:path';
import type { Did } from '@stratos/protocol';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { actorDatabasePath } from '../../storage/sqlite/actor-storage.ts';
import { actorsIn } from './actor-databases.ts';
import { nodeOf } from './named-boundaries.ts';
import { verifyMemberships } from './verify-memberships.ts';
import { verifyPublication } from './verify-publication.ts';
import { type PersonToVerify, verifyRepo } from './verify-repo.ts';

export interface Damage {
  /** A DID, or the name of a database. */
  subject: string;
  /** What is wrong, without content. */
  what: string;
}

export interface VerifyReport {
  repos: number;
  records: number;
  damage: Damage[];
}

export interface VerifyProgress {
  onStart(actors: number): void;
  onActor(): void;
}

const SERVICE = 'service.sqlite';

/** Checks everything in a data folder, also while its node is writing. */
export async function verifyFolder(
  dataDir: string,
  { onStart, onActor }: VerifyProgress,
): Promise<VerifyReport> {
  const report: VerifyReport = { repos: 0, records: 0, damage: [] };
  using service = readable(join(dataDir, SERVICE));
  for await (const what of verifyMemberships(service.database)) {
    report.damage.push({ subject: SERVICE, what });
  }
  const actors = await actorsIn(dataDir);
  onStart(actors.length);
  for (const did of actors) {
    for await (const what of verifyActor(dataDir, service.database, did, report)) {
      report.damage.push({ subject: did, what });
    }
    onActor();
  }
  for (const did of withoutRepo(service.database, new Set(actors))) {
    report.damage.push({ subject: did, what: 'is enrolled, and there is no repo' });
  }
  return report;
}

async function* verifyActor(
  dataDir: string,
  service: Database,
  did: Did,
  report: VerifyReport,
): AsyncGenerator<string> {
  try {
    using actor = readable(actorDatabasePath(dataDir, did));
    const person = service
      .prepare<[Did], PersonToVerify>('SELECT did, signingKeyDid FROM enrollment WHERE did = ?')
      .get(did);
    report.repos += 1;
    const options = { dataDir, node: nodeOf(service), onRecord: () => count(report) };
    yield* verifyPublication(service, actor.database, did);
    actor.database.exec('BEGIN');
    yield* verifyRepo(actor.database, person ?? { did, signingKeyDid: undefined }, options);
  } catch (error) {
    yield `cannot be read: ${(error as Error).message}`;
  }
}

function count(report: VerifyReport): void {
  report.records += 1;
}

function withoutRepo(service: Database, actors: ReadonlySet<Did>): Did[] {
  return service
    .prepare<[], Did>("SELECT did FROM enrollment WHERE active = 'true' ORDER BY did")
    .pluck()
    .all()
    .filter((did) => !actors.has(did));
}

function readable(path: string): Disposable & { database: Database } {
  const database = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  return { database, [Symbol.dispose]: () => void database.close() };
}
