import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Did } from '@stratos/protocol';
import { CliError } from '@stratos/protocol/cli';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { actorDatabasePath } from '../../storage/sqlite/actor-storage.ts';
import { actorsIn } from './actor-databases.ts';
import { copyDatabase, copyFiles } from './copy-files.ts';

/** Written last: a copy without it is not whole. */
const MANIFEST = 'backup.json';
const SERVICE = 'service.sqlite';
const KEY = 'signing_key';
const KEY_ATTEMPTS = 5;
/** The node's stream, among the floors. */
const STREAM = 'service';

export interface BackUpProgress {
  /** Called when the service database is copied, and people's are not. */
  onStart(actors: number): void | Promise<void>;
  onActor(): void;
}

export interface BackUpMade {
  createdAt: string;
  actors: number;
  /** Those that are no databases, and their bytes. */
  files: number;
  bytes: number;
  /** Newest position of the node's stream in it. */
  streamPosition: number;
}

/**
 * Copies a data folder while its node may be writing to it. The service database comes first, so
 * that it is never ahead of anybody's log: what a log has beyond it is published when a node starts
 * on the copy. For that, each actor of whom that is so is marked. What a log has forgotten meanwhile
 * is forgotten in the copied stream too.
 *
 * @throws {@link CliError} if there is something in the target already
 */
export async function backUp(
  dataDir: string,
  target: string,
  { onStart, onActor }: BackUpProgress,
): Promise<BackUpMade> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  if ((await readdir(target)).length > 0) throw new CliError(`${target} is not empty`);
  const createdAt = new Date().toISOString();
  // @NOTE before and after the databases: what they refer to was there at one of these times
  const before = await copyFiles(dataDir, target);
  await copyServiceAndKey(dataDir, target);
  using service = opened(join(target, SERVICE));
  const actors = await actorsIn(dataDir);
  await onStart(actors.length);
  let copied = 0;
  for (const did of actors) {
    if (await copyActor(dataDir, target, service.database, did)) copied += 1;
    onActor();
  }
  const after = await copyFiles(dataDir, target);
  const made = {
    createdAt,
    actors: copied,
    files: before.files + after.files,
    bytes: before.bytes + after.bytes,
    streamPosition: service.database
      .prepare<[], number>('SELECT coalesce(max(seq), 0) FROM service_seq')
      .pluck()
      .get() as number,
  };
  await writeFile(join(target, MANIFEST), `${JSON.stringify(made, undefined, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  return made;
}

/** The key must be the one that the copied database ends in, also while the node changes it. */
async function copyServiceAndKey(dataDir: string, target: string): Promise<void> {
  for (let attempt = 1; attempt <= KEY_ATTEMPTS; attempt += 1) {
    const key = await keyIn(dataDir);
    await copyDatabase(join(dataDir, SERVICE), join(target, SERVICE));
    if (key?.toString('hex') === (await keyIn(dataDir))?.toString('hex')) {
      if (key) await writeFile(join(target, KEY), key, { mode: 0o600, flush: true });
      return;
    }
    await rm(join(target, SERVICE));
  }
  throw new CliError("the node's key does not stop changing");
}

async function keyIn(dataDir: string): Promise<Buffer | undefined> {
  const path = join(dataDir, KEY);
  return existsSync(path) ? readFile(path) : undefined;
}

/** False for somebody whose repo was erased in the meantime. */
async function copyActor(
  dataDir: string,
  target: string,
  service: Database,
  did: Did,
): Promise<boolean> {
  const from = actorDatabasePath(dataDir, did);
  if (!existsSync(from)) return false;
  const to = actorDatabasePath(target, did);
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyDatabase(from, to);
  using actor = opened(to);
  reconcile(service, actor.database, did);
  return true;
}

/** Makes the copied service database fit somebody's log that was copied after it. */
function reconcile(service: Database, actor: Database, did: Did): void {
  const last = actor
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'stratos_seq'")
    .pluck()
    .get();
  const first = actor.prepare<[], number | null>('SELECT min(seq) FROM stratos_seq').pluck().get();
  const forgotten = typeof first === 'number' ? first - 1 : (last ?? 0);
  service
    .prepare(
      `INSERT INTO actor_publication (did, publishedSeq, dirty) SELECT @did, 0, 1 WHERE @last > coalesce(
        (SELECT publishedSeq FROM actor_publication WHERE did = @did), 0)
      ON CONFLICT (did) DO UPDATE SET dirty = 1`,
    )
    .run({ did, last: last ?? 0 });
  service
    .prepare(
      `INSERT INTO service_seq_floor (stream, seq) SELECT @stream, seq FROM (
        SELECT max(seq) AS seq FROM service_seq
          WHERE kind = 'commit' AND did = @did AND ref <= @forgotten) WHERE seq IS NOT NULL
      ON CONFLICT (stream) DO UPDATE SET seq = max(service_seq_floor.seq, excluded.seq)`,
    )
    .run({ stream: STREAM, did, forgotten });
}

function opened(path: string): Disposable & { database: Database } {
  const database = new SqliteDatabase(path);
  return { database, [Symbol.dispose]: () => void database.close() };
}
