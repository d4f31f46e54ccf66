import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT_WRONG, OracleError } from './oracle-error.ts';
import { KINDS, runOracle } from './run.ts';

const USAGE = `npm run oracle -- [--stories 10000] [--seconds N] [--seed N] [--at-once 100] [--all-kinds]
                    [--keep-going]

Lets seeded stories of people, nodes and faults happen, on a real PDS and with an indexer that is killed
now and then, and compares what the AppView database comes to with what a small model says.
--all-kinds fails unless everything that can happen did; --keep-going does not end with the first that
comes out wrong.`;

const { values } = parseArgs({
  options: {
    stories: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    'at-once': { type: 'string', default: '100' },
    'all-kinds': { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    indexer: { type: 'string', default: resolve(import.meta.dirname, '../../indexer/src/main.ts') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const numbers = [values.stories, values.seconds, values.seed, values['at-once']].map(Number);
const [stories = 0, seconds = 0, first = 0, atOnce = 0] = numbers;

if (values.help || !numbers.every((number) => Number.isInteger(number) && number >= 0)) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await main();
}

async function main(): Promise<void> {
  console.log(`first seed ${first}`);
  const onProgress = (done: number) => console.log(`${done} stories came out as they should`);
  const { indexer } = values;
  const onWrong = (error: OracleError) => {
    console.error(error.message);
    process.exitCode = EXIT_WRONG;
  };
  try {
    const tally = await runOracle({
      ...{ first, stories, seconds, atOnce, indexer, onProgress },
      ...(values['keep-going'] && { onWrong }),
    });
    for (const [kind, count] of tally.sorted) console.log(`${String(count).padStart(7)}  ${kind}`);
    const missing = KINDS.filter((kind) => tally.count(kind) === 0);
    if (missing.length > 0) console.log(`never happened: ${missing.join('; ')}`);
    if (values['all-kinds'] && missing.length > 0) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof OracleError)) throw error;
    onWrong(error);
  }
}
