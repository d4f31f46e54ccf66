import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { PostgresBinaries } from './binaries.ts';
import type { DataFolder } from './data-folder.ts';
import type { ServerUser } from './server-user.ts';

export interface ServerSettings {
  port: number;
  /** False gives up crash safety for speed. */
  durable: boolean;
}

/** Starts the server on loopback alone, with no socket file. */
export async function spawnServer(
  { postgres }: PostgresBinaries,
  folder: DataFolder,
  user: ServerUser,
  { port, durable }: ServerSettings,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    ...(!durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  await using log = await open(folder.log, 'w', 0o600);
  // In a process group of its own: Ctrl-C in a terminal must not stop it before those who use it.
  const child = spawn(postgres, ['-D', folder.cluster, ...flags], {
    ...user,
    cwd: folder.cluster,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  return child;
}

/** Fast shutdown: sessions are cut off, what was committed is kept. */
export async function stopServer(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  const impatience = setTimeout(() => child.kill('SIGQUIT'), 8_000);
  await exit;
  clearTimeout(impatience);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The end of the server's log, for the message that says why it did not start. */
export async function lastWords(folder: DataFolder): Promise<string> {
  const log = await readFile(folder.log, 'utf8').catch(() => '');
  return log.trim().split('\n').slice(-5).join('\n');
}
