import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { PrivateCopy } from '../private-copy.ts';
import { EXIT_DIFFERENT } from './exit-code.ts';
import { HELD, MUTANTS, type Mutant } from './mutant-list.ts';

const USAGE = `npm run interference:mutants -- [--seconds 90] [--seed 1] [--at-once 2] [--only TEXT]

Takes each rule of access out of a copy of the gateway, several at once, and asks each copy until an answer is
wrong. Fails when a copy gets through. Then takes out one line of defence where the other has to hold, which
fails when an answer is wrong.`;

const ROOMS = ['lexicons', 'protocol', 'prisma', 'schema', 'gateway', 'test'];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '90' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = (await failures()) > 0 ? 1 : 0;

async function failures(): Promise<number> {
  let failed = 0;
  const chosen = ({ rule }: Mutant) => rule.includes(values.only);
  const mutants = [
    ...MUTANTS.filter(chosen).map((mutant) => ({ mutant, isToBeCaught: true })),
    ...HELD.filter(chosen).map((mutant) => ({ mutant, isToBeCaught: false })),
  ].values();
  const work = async () => {
    for (const { mutant, isToBeCaught } of mutants) {
      const isCaught = await isCaughtIn(mutant);
      const isRight = isCaught === isToBeCaught;
      if (!isRight) failed += 1;
      const outcome = isToBeCaught ? ['caught', 'SURVIVED'] : ['held', 'LET THROUGH'];
      console.log(
        `${outcome[isRight ? 0 : 1]?.padEnd(12)}${mutant.alone}, without: ${mutant.rule}`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
  return failed;
}

async function isCaughtIn({ edits, alone }: Mutant): Promise<boolean> {
  await using copy = await PrivateCopy.make(ROOMS);
  for (const edit of edits) await copy.edit(edit);
  const { seconds, seed } = values;
  const main = copy.path('test/interference/main.ts');
  const args = [main, '--seconds', seconds, '--seed', seed, '--threads', '1'];
  if (alone === 'gateway') args.push('--without-row-security');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  if (code !== 0 && code !== EXIT_DIFFERENT)
    throw new Error(`the suite ends with ${code}: ${errors}`);
  return code === EXIT_DIFFERENT;
}
