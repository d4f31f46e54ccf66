import { parseArgs } from 'node:util';
import { CrashError, runCrashes } from './crash-run.ts';
import { BACKENDS, openStorage } from './storage.ts';

const USAGE = `npm run crash -- [--times 500] [--backend sqlite|postgres] [--seed N]

Kills a node with SIGKILL at random moments while people write to it, and looks after each restart
whether all that was acknowledged is there, every repo verifies, the stream is what the repos are, and,
at the end, whether the PDS has the stubs and enrollment records that it should.`;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '500' },
    backend: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const backend = BACKENDS.find((each) => each === values.backend);
const times = Number(values.times);
const seed = Number(values.seed);

if (values.help || !backend || !Number.isInteger(times) || times < 1 || !Number.isInteger(seed)) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    await using storage = await openStorage(backend);
    console.log(`${backend}, ${times} kills, seed ${seed}`);
    const report = (line: string) => {
      process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    };
    const options = { times, seed, storage: storage.env, fullEvery: 50 };
    const summary = await runCrashes({ ...options, report });
    console.log(
      `\n${Object.entries(summary)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
  } catch (error) {
    if (!(error instanceof CrashError)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}
