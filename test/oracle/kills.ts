import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runKills } from './kill-run.ts';
import { EXIT_WRONG, OracleError } from './oracle-error.ts';

const USAGE = `npm run oracle:kills -- [--times 500] [--seed N]

Indexes one history undisturbed, and once more with indexers of which each is killed with SIGKILL while
it works, and compares every row.`;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    indexer: { type: 'string', default: resolve(import.meta.dirname, '../../indexer/src/main.ts') },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [times, seed] = [Number(values.times), Number(values.seed)];

if (values.help || !Number.isInteger(times) || times < 1 || !Number.isInteger(seed)) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  console.log(`seed ${seed}`);
  const onProgress = (line: string) => console.log(line);
  try {
    const { kills, rows } = await runKills({ times, seed, indexer: values.indexer, onProgress });
    console.log(`${kills} kills, ${rows} rows, the same as without`);
  } catch (error) {
    if (!(error instanceof OracleError)) throw error;
    console.error(error.message);
    process.exitCode = EXIT_WRONG;
  }
}
