import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const GRACE_MS = 12_000;

/** Whether a process runs whose command line contains `fragment`, so that a reused number is not mistaken. */
export async function isRunning(pid: number, fragment: string): Promise<boolean> {
  return (await commandLine(pid)).includes(fragment);
}

/** Sends such a process a signal, waits for its end, and ends it hard when it does not come. */
export async function endProcess(
  pid: number,
  fragment: string,
  signal: NodeJS.Signals,
): Promise<void> {
  for (const each of [signal, 'SIGKILL'] as const) {
    const deadline = Date.now() + GRACE_MS;
    if (await isRunning(pid, fragment)) send(pid, each);
    while ((await isRunning(pid, fragment)) && Date.now() < deadline) await delay(50);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Empty for a process that has ended, also while nobody has collected it. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout;
  } catch {
    return '';
  }
}
