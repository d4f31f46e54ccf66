import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Progress } from './progress.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-progress-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('does a step once, also across starts', async () => {
  const file = join(folder, 'demo.json');
  let times = 0;
  const step = async () => ({ times: ++times });
  const first = await Progress.open(file);
  expect(await first.once('a', step)).toEqual({ times: 1 });
  expect(await first.once('a', step)).toEqual({ times: 1 });
  const second = await Progress.open(file);
  expect(await second.once('a', step)).toEqual({ times: 1 });
  expect(second.result('a')).toEqual({ times: 1 });
  expect(second.has('b')).toBe(false);
});

it('tries a step again that failed', async () => {
  const progress = await Progress.open(join(folder, 'failed.json'));
  await expect(progress.once('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(progress.has('a')).toBe(false);
  expect(await progress.once('a', async () => 1)).toBe(1);
});
