import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FolderInUseError, formatPidFile, lockFolder } from './folder-lock.ts';

let folder: string;
let other: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-lock-test-'));
  await mkdir(join(folder, 'run'));
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'some/script.ts'], {
    stdio: 'ignore',
  });
  await once(other, 'spawn');
});

afterEach(async () => {
  other.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

it('leaves a folder alone while its owner lives', async () => {
  await writeFile(join(folder, 'run/network.pid'), `${other.pid}\n`);
  await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
  await expect(lockFolder(folder)).rejects.toThrow(String(other.pid));
});

it('takes over from an owner that has died, and ends the services that it left', async () => {
  await writeFile(join(folder, 'run/network.pid'), '2147483647\n');
  const pidFile = formatPidFile(other.pid ?? 0, 'some/script.ts');
  await writeFile(join(folder, 'run/sailors.pid'), pidFile);
  const exit = once(other, 'exit');
  await using lock = await lockFolder(folder);
  expect(lock).toBeDefined();
  expect(await exit).toEqual([null, 'SIGTERM']);
  expect(await readdir(join(folder, 'run'))).toEqual(['network.pid']);
});

it('spares a process that only has the number of a service', async () => {
  await writeFile(
    join(folder, 'run/sailors.pid'),
    formatPidFile(other.pid ?? 0, 'stratos-node.ts'),
  );
  await using lock = await lockFolder(folder);
  expect(lock).toBeDefined();
  expect(other.exitCode ?? other.signalCode).toBeNull();
});

it('gives the folder back', async () => {
  {
    await using lock = await lockFolder(folder);
    expect(lock).toBeDefined();
  }
  expect(await readdir(join(folder, 'run'))).toEqual([]);
});
