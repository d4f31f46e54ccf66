import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, cp, lstat, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.ts';
import type { ServerUser } from './server-user.ts';

const run = promisify(execFile);

/** Where root puts what the server's user could not reach in its own place, under /root say. */
const ASIDE = '/var/tmp/stratos-postgres';
/** In the data folder: says where the data is kept instead. */
const NOTE = 'kept-in';

/** The binaries, or a copy of them that the server's user can reach. */
export async function reachableBinaries(
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<PostgresBinaries> {
  if (await canReach(dirname(binaries.postgres), user)) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const { size, mtimeMs } = await stat(binaries.postgres);
  const copy = join(await asideFolder(), `native-${hash(`${native} ${size} ${mtimeMs}`)}`);
  if (!(await exists(copy))) {
    const draft = `${copy}.${process.pid}`;
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy).catch(() => rm(draft, { recursive: true }));
  }
  return { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') };
}

/**
 * The folder itself, or one that the server's user can reach in its stead. That one is begun anew
 * whenever the folder has been.
 */
export async function reachableFolder(folder: string, user: ServerUser): Promise<string> {
  if (await canReach(folder, user)) return folder;
  const instead = join(await asideFolder(), `data-${hash(folder)}`);
  const note = join(folder, NOTE);
  if (!(await exists(note))) {
    await rm(instead, { recursive: true, force: true });
    await mkdir(instead, { mode: 0o711 });
    await writeFile(note, `${instead}\n`);
  }
  return instead;
}

async function canReach(folder: string, user: ServerUser): Promise<boolean> {
  if (user.uid === undefined) return true;
  return run('test', ['-x', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** Throws when somebody else made the folder, who could then put programs of theirs into it. */
async function asideFolder(): Promise<string> {
  await mkdir(ASIDE, { mode: 0o755 }).catch(() => {});
  const found = await lstat(ASIDE);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${ASIDE} is not a folder of root's alone; remove it, or set DATABASE_URL.`);
  }
  return ASIDE;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
