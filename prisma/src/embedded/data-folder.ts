import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.ts';
import { reachableFolder } from './reach.ts';
import type { ServerUser } from './server-user.ts';

const run = promisify(execFile);

export const SUPERUSER = 'stratos';

export interface DataFolder {
  root: string;
  cluster: string;
  log: string;
  password: string;
}

/** Opens the folder of a server, and on first use makes the database cluster and its password. */
export async function openDataFolder(
  dataDir: string,
  binaries: PostgresBinaries,
  user: ServerUser,
): Promise<DataFolder> {
  const wanted = resolve(dataDir);
  await mkdir(wanted, { recursive: true });
  await chmod(wanted, user.uid === undefined ? 0o700 : 0o711);
  const root = await reachableFolder(wanted, user);

  const passwordFile = join(root, 'password');
  const password = await readOrCreatePassword(passwordFile, user);
  const cluster = join(root, 'cluster');
  if (!(await exists(join(cluster, 'PG_VERSION')))) {
    await initialise(cluster, passwordFile, binaries, user);
  }
  return { root, cluster, log: join(root, 'postgres.log'), password };
}

async function initialise(
  cluster: string,
  passwordFile: string,
  { initdb }: PostgresBinaries,
  user: ServerUser,
): Promise<void> {
  // Made aside and renamed, so that what is there is whole even after a crash in the middle.
  const draft = `${cluster}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await give(draft, user);
  const flags = [
    `--pgdata=${draft}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
  await run(initdb, flags, { ...user, cwd: draft });
  await rename(draft, cluster);
}

async function readOrCreatePassword(file: string, user: ServerUser): Promise<string> {
  if (!(await exists(file))) {
    const draft = `${file}.new`;
    await writeFile(draft, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await give(draft, user);
    await rename(draft, file);
  }
  return (await readFile(file, 'utf8')).trim();
}

async function give(path: string, { uid, gid }: ServerUser): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
