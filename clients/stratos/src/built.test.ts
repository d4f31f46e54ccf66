import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as library from './index.ts';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '..');
const TSC = join(PACKAGE, '../../node_modules/.bin/tsc');
const APP = `
import { isDid, type Stub, unenroll } from '@stratos/client';
export const did: (value: unknown) => value is Stub['node'] = isDid;
// @ts-expect-error its types say what a session is
unenroll('a text');
`;

/** Where an app is that has nothing but the published package. */
let app: string;
beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'stratos-app-'));
  const modules = join(app, 'node_modules');
  const published = join(modules, '@stratos/client');
  const { publishConfig, ...manifest } = JSON.parse(
    await readFile(join(PACKAGE, 'package.json'), 'utf8'),
  );
  await mkdir(published, { recursive: true });
  await writeFile(
    join(published, 'package.json'),
    JSON.stringify({ ...manifest, ...publishConfig }),
  );
  const config = join(PACKAGE, 'tsconfig.build.json');
  await run(TSC, ['-p', config, '--outDir', join(published, 'dist')]);
  for (const name of Object.keys(manifest.dependencies)) {
    const folder = dirname(fileURLToPath(import.meta.resolve(name)));
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(folder, join(modules, name));
  }
}, 60_000);
afterAll(() => rm(app, { recursive: true }));

test('what is built has all names when Node imports it', async () => {
  const code =
    "import * as library from '@stratos/client'; console.log(Object.keys(library).join())";
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: app });
  expect(stdout.trim().split(',')).toEqual(Object.keys(library).sort());
});

test.each(['nodenext', 'bundler'])(
  'its types hold where modules are resolved as %s',
  async (how) => {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      types: [],
      lib: ['es2024', 'dom', 'dom.iterable'],
      module: how === 'bundler' ? 'esnext' : how,
      moduleResolution: how,
    };
    await writeFile(join(app, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(app, 'app.ts'), APP);
    const config = join(app, 'tsconfig.json');
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const { stdout } = await run(TSC, ['-p', config]).catch((error) => error);
    expect(stdout).toBe('');
  },
);
