import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endProcess, isRunning } from './live-process.ts';

const LOCK = 'network.pid';

/** Another network, alive, works in the same data folder. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError';
}

/**
 * Makes this process the owner of a data folder. Services that outlived a killed owner are ended first.
 * Throws {@link FolderInUseError} when the owner is alive.
 */
export async function lockFolder(dataPath: string): Promise<AsyncDisposable> {
  const run = join(dataPath, 'run');
  const lock = join(run, LOCK);
  const owner = await readPid(lock);
  if (owner !== undefined && owner !== process.pid && (await isRunning(owner, 'node'))) {
    throw new FolderInUseError(
      `A local network already runs on ${dataPath} (process ${owner}). Stop it first, or start this one with --ephemeral and other ports.`,
    );
  }
  await endOrphans(run);
  await endOrphanPostgres(join(dataPath, 'postgres'));
  await writeFile(lock, `${process.pid}\n`);
  return {
    async [Symbol.asyncDispose]() {
      await rm(lock, { force: true });
    },
  };
}

/** Pid files hold the number and the script of the service. */
export function formatPidFile(pid: number, script: string): string {
  return `${pid}\n${script}\n`;
}

async function endOrphans(run: string): Promise<void> {
  const files = (await readdir(run)).filter((file) => file.endsWith('.pid') && file !== LOCK);
  await Promise.all(
    files.map(async (file) => {
      const [pid, script] = (await readFile(join(run, file), 'utf8')).split('\n');
      if (pid && script) await endProcess(Number(pid), script, 'SIGTERM');
      await rm(join(run, file), { force: true });
    }),
  );
}

async function endOrphanPostgres(folder: string): Promise<void> {
  const pid = await readPid(join(folder, 'cluster/postmaster.pid'));
  if (pid) await endProcess(pid, folder, 'SIGINT');
}

async function readPid(file: string): Promise<number | undefined> {
  try {
    const [first] = (await readFile(file, 'utf8')).split('\n');
    return Number(first) || undefined;
  } catch {
    return undefined;
  }
}
