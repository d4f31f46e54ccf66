import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type DataFolder, SUPERUSER } from './data-folder.ts';

/** The name of the one connection that an owner holds as long as it lives. */
export const OWNER_CONNECTION = 'stratos-owner';

/** The data folder is served by a process that is alive. */
export class DataFolderInUseError extends Error {
  override name = 'DataFolderInUseError';
}

/**
 * Clears what a killed owner left behind: a server that still runs on this very folder, or its stale
 * pid file. A server whose owner lives is left alone.
 *
 * @throws DataFolderInUseError when it has a living owner
 */
export async function clearOrphan({ cluster, password }: DataFolder): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const lines = await readFile(pidFile, 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  const pid = Number(lines[0]);
  if (!pid) return;
  if (!isAlive(pid) || !(await servesFolder(pid, cluster))) {
    // After a reboot the number may belong to somebody else, for whom Postgres would wait in vain.
    await rm(pidFile, { force: true });
    return;
  }
  if (await hasOwner(Number(lines[3]), password)) {
    throw new DataFolderInUseError(`The Postgres in ${cluster} is in use by another process.`);
  }
  await stop(pid, 'SIGINT', 10_000);
  await stop(pid, 'SIGQUIT', 5_000);
}

async function servesFolder(pid: number, cluster: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  // Without /proc the pid file is the best there is; Postgres removes it whenever it ends by itself.
  return command === undefined || command.split('\0').includes(cluster);
}

async function hasOwner(port: number, password: string): Promise<boolean> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 3_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query(
      'select 1 from pg_stat_activity where application_name = $1 limit 1',
      [OWNER_CONNECTION],
    );
    return found.rows.length > 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function stop(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, signal);
  for (let waited = 0; waited < patienceMs && isAlive(pid); waited += 50) await sleep(50);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
