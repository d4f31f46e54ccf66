import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-parent-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function startScript(source: string) {
  const script = join(folder, 'script.mjs');
  await writeFile(script, source);
  const preload = join(import.meta.dirname, 'exit-with-parent.ts');
  return fork(script, { execArgv: ['--import', preload] });
}

it('stops a service whose supervisor has gone', async () => {
  const child = await startScript(
    `process.on('SIGTERM', () => process.exit(42)); setInterval(() => {}, 1000); process.send('up');`,
  );
  await once(child, 'message');
  const exit = once(child, 'exit');
  child.disconnect();
  expect(await exit).toEqual([42, null]);
});

it('does not keep a service alive that has nothing more to do', async () => {
  const child = await startScript('setTimeout(() => {}, 10);');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
