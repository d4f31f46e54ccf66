import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT_WRONG } from './batch.ts';
import { MUTANTS, type Mutant } from './mutant-list.ts';

const USAGE = `npm run oracle:mutants -- [--seconds 60] [--seed 1] [--only TEXT]

Takes one check after the other out of a copy of the indexer, and lets stories happen to each copy until
one comes out wrong. Fails when a copy gets through.`;

const ROOT = resolve(import.meta.dirname, '../..');
const ROOMS = ['protocol', 'prisma', 'indexer'];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = (await survivors()).length > 0 ? 1 : 0;

async function survivors(): Promise<string[]> {
  const survived: string[] = [];
  for (const mutant of MUTANTS.filter(({ check }) => check.includes(values.only))) {
    const isCaught = await isCaughtIn(mutant);
    console.log(`${isCaught ? 'caught  ' : 'SURVIVED'}  without: ${mutant.check}`);
    if (!isCaught) survived.push(mutant.check);
  }
  return survived;
}

async function isCaughtIn(mutant: Mutant): Promise<boolean> {
  const copy = await mkdtemp(join(tmpdir(), 'stratos-mutant-'));
  try {
    await copyRooms(copy);
    await mutate(join(copy, mutant.file), mutant);
    return (await oracle(join(copy, 'indexer/src/main.ts'))) === EXIT_WRONG;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** The rooms of the indexer, which import each other and not the originals. */
async function copyRooms(copy: string): Promise<void> {
  for (const room of ROOMS) {
    const filter = (path: string) => !path.endsWith('node_modules');
    await cp(join(ROOT, room), join(copy, room), { recursive: true, filter });
    const own = join(ROOT, room, 'node_modules');
    await symlink(own, join(copy, room, 'node_modules'));
  }
  const modules = join(copy, 'node_modules');
  await mkdir(join(modules, '@stratos'), { recursive: true });
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name !== '@stratos') await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  for (const room of ROOMS) await symlink(join(copy, room), join(modules, '@stratos', room));
}

async function mutate(path: string, { check, edits }: Mutant): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [find, put] of edits) {
    if (text.split(find).length !== 2) throw new Error(`not there once: '${find}' (${check})`);
    text = text.replace(find, put);
  }
  await writeFile(path, text);
}

async function oracle(indexer: string): Promise<number | null> {
  const main = join(import.meta.dirname, 'main.ts');
  const { seconds, seed } = values;
  const args = [main, '--seconds', seconds, '--seed', seed, '--indexer', indexer];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code;
}
