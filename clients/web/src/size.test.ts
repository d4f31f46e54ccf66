import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

const APP = join(import.meta.dirname, '..');
const VITE = join(APP, '../../node_modules/vite/bin/vite.js');

let folder: string;
/** In bytes, gzipped. */
const sizes = new Map<string, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-web-size-'));
  const options = ['build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'error'];
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [VITE, ...options], { cwd: APP, env });
  for (const name of ['index.html', ...(await readdir(join(folder, 'assets'), {}))]) {
    const path = join(folder, name === 'index.html' ? name : `assets/${name}`);
    sizes.set(name, gzipSync(await readFile(path), { level: 9 }).length);
  }
});
afterAll(() => rm(folder, { recursive: true }));

function sizeOf(isMeant: (name: string) => boolean): number {
  const meant = [...sizes].filter(([name]) => isMeant(name));
  expect(meant.length).toBeGreaterThan(0);
  return meant.reduce((sum, [, size]) => sum + size, 0);
}

test('has less than 200 kB for the first load, and less than 75 kB without the sign-in', () => {
  const first = sizeOf((name) => !name.startsWith('Inspector-'));
  const signIn = sizeOf((name) => name.startsWith('oauth-'));
  expect(first).toBeLessThan(200_000);
  expect(first - signIn).toBeLessThan(75_000);
});

test('loads the inspector when it is opened', () => {
  expect(sizeOf((name) => name.startsWith('Inspector-'))).toBeLessThan(15_000);
});

test('names nothing of elsewhere that is to be loaded', async () => {
  const page = await readFile(join(folder, 'index.html'), 'utf8');
  expect(page.match(/(?:src|href)="(?!\.\/)[^"]*"/g)).toBeNull();
  const names = [...sizes.keys()].filter((name) => name.endsWith('.css'));
  for (const name of names) {
    expect(await readFile(join(folder, 'assets', name), 'utf8')).not.toMatch(/url\(|@import/);
  }
});
