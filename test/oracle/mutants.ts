import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PrivateCopy } from '../private-copy.ts';
import { MUTANTS, type Mutant } from './mutant-list.ts';
import { EXIT_WRONG } from './oracle-error.ts';

const USAGE = `npm run oracle:mutants -- [--seconds 60] [--seed 1] [--at-once 3] [--only TEXT]

Takes each check out of a copy of the indexer, several at once, and lets stories happen to each copy until
one comes out wrong. Fails when a copy gets through.`;

const ROOMS = ['protocol', 'prisma', 'indexer'];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = (await survivors()).length > 0 ? 1 : 0;

async function survivors(): Promise<string[]> {
  const survived: string[] = [];
  const mutants = MUTANTS.filter(({ check }) => check.includes(values.only)).values();
  const work = async () => {
    for (const mutant of mutants) {
      const isCaught = await isCaughtIn(mutant);
      console.log(`${isCaught ? 'caught  ' : 'SURVIVED'}  without: ${mutant.check}`);
      if (!isCaught) survived.push(mutant.check);
    }
  };
  await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
  return survived;
}

async function isCaughtIn(mutant: Mutant): Promise<boolean> {
  await using copy = await PrivateCopy.make(ROOMS);
  for (const edit of mutant.edits) await copy.edit(edit);
  const code = await oracle(copy.path('indexer/src/main.ts'));
  if (code !== 0 && code !== EXIT_WRONG) throw new Error(`the oracle ends with ${code}`);
  return code === EXIT_WRONG;
}

async function oracle(indexer: string): Promise<number | null> {
  const main = join(import.meta.dirname, 'main.ts');
  const { seconds, seed } = values;
  const args = [
    main,
    '--seconds',
    seconds,
    '--seed',
    seed,
    '--at-once',
    '25',
    '--indexer',
    indexer,
  ];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code;
}
