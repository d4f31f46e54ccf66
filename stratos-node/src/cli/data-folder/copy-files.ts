import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** Databases, what SQLite keeps beside them, and what only a running node needs. */
const NOT_COPIED = /\.sqlite(-wal|-shm|-journal)?$|^signing_key$|^\.ready$|^backup\.json$/;

/** A copy of a database as it is at one moment, without what was deleted from it. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const database = new SqliteDatabase(from, { readonly: true, fileMustExist: true });
  try {
    database.pragma('busy_timeout = 5000');
    database.prepare('VACUUM INTO ?').run(to);
  } finally {
    database.close();
  }
  await chmod(to, 0o600);
  await synced(to);
}

/** Copies files that are not there yet, except for databases and keys. */
export async function copyFiles(
  from: string,
  to: string,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length));
    if (!entry.isFile() || NOT_COPIED.test(entry.name) || existsSync(target)) continue;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
    } catch (error) {
      // @NOTE a blob that was moved or erased in the meantime
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    await chmod(target, 0o600);
    await synced(target);
    files += 1;
    bytes += (await stat(target)).size;
  }
  return { files, bytes };
}

async function synced(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.sync();
}
