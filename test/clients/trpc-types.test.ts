import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');
const TSC = join(PROJECT, 'node_modules/.bin/tsc');
const CLIENT = join(PROJECT, 'clients/trpc/src/index.ts');
/** What the gateway answers with, of which apps have nothing. */
const OF_SERVERS =
  /^(gateway|indexer|prisma|stratos-node)\/|^schema\/src\/graphql\/|^node_modules\/(@prisma|@pothos|express|graphql|graphql-yoga|ioredis|pg|ws)\//;
/** What apps have. */
const OF_APPS = /^clients\/trpc\/|^node_modules\/(@trpc|eventsource|eventsource-parser)\//;
/** What the types of an app cost its developer at every change, and a quarter more. */
const MOST_INSTANTIATIONS = 420_000;

test('the types of the router need no code of servers', async () => {
  const options = '--ignoreConfig --listFilesOnly --noEmit --allowImportingTsExtensions --strict';
  const { stdout } = await promisify(execFile)(
    TSC,
    [...options.split(' '), '--module', 'nodenext', '--target', 'es2024', CLIENT],
    { cwd: PROJECT, maxBuffer: 10_000_000 },
  );
  const files = stdout.split('\n').map((file) => relative(PROJECT, file));
  expect(files).toContain('schema/src/trpc/router.ts');
  expect(files.filter((file) => OF_SERVERS.test(file))).toEqual([]);
});

test('the types of an app are checked with no more work than they were', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stratos-types-'));
  const config = {
    extends: join(PROJECT, 'tsconfig.json'),
    compilerOptions: { typeRoots: [join(PROJECT, 'node_modules/@types')] },
    files: [join(import.meta.dirname, 'typed-app.ts')],
    include: [],
  };
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await promisify(execFile)(TSC, ['-p', folder, '--extendedDiagnostics']);
    const told = /Instantiations: +(?<count>\d+)[\s\S]*Total time: +(?<time>\S+)/.exec(
      stdout,
    )?.groups;
    console.info(`Types of an app: ${told?.['count']} instantiations in ${told?.['time']}`);
    expect(Number(told?.['count'])).toBeGreaterThan(0);
    expect(Number(told?.['count'])).toBeLessThan(MOST_INSTANTIATIONS);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('nothing of the router is in the bundle of an app', async () => {
  await using bundle = await rolldown({ input: CLIENT, platform: 'browser', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'esm' });
  const [{ imports, moduleIds }, ...rest] = output;
  expect([imports, rest]).toEqual([[], []]);
  const packages = moduleIds
    .map((id) => relative(PROJECT, id))
    .filter((id) => !id.startsWith('\0'));
  expect(packages.filter((id) => !OF_APPS.test(id))).toEqual([]);
});
