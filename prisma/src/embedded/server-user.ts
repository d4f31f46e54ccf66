import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const USER = 'postgres';

/** Who the server runs as; empty means the user of this process. */
export interface ServerUser {
  uid?: number;
  gid?: number;
}

/** Postgres refuses to run as root; root therefore lends it a user of its own. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  return (await lookUp()) ?? (await create());
}

async function lookUp(): Promise<ServerUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', USER]), run('id', ['-g', USER])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function create(): Promise<ServerUser> {
  // Whoever loses a race of two finds the user of the winner.
  await run('groupadd', ['--system', USER]).catch(() => {});
  await run('useradd', ['--system', '--no-create-home', '-g', USER, USER]).catch(() => {});
  const user = await lookUp();
  if (!user) throw new Error(`Postgres cannot run as root, and the user '${USER}' cannot be made.`);
  return user;
}
