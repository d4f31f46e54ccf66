import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { EXIT_DIFFERENT } from './exit-code.ts';
import { openGround } from './ground.ts';
import { Tally } from './tally.ts';
import type { Work } from './worker.ts';

const USAGE = `npm run interference -- [--cases 1000000] [--seconds N] [--seed N] [--threads N] [--without-row-security]

Draws worlds, viewers and questions by lot, asks each question over all three surfaces in two worlds that
differ only in what the viewer may not see, and compares all answers byte for byte, and with a small model.
Ends at the first difference and names the seed of its world: --seed with it and --cases 1 try it again.
--without-row-security has the database show everything to the gateway, whose own checks then have to do.`;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    threads: { type: 'string', default: String(availableParallelism()) },
    'without-row-security': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [cases, seconds, first, threads] = [
  Number(values.cases),
  Number(values.seconds),
  Number(values.seed),
  Number(values.threads),
] as const;
const TOLD_EVERY_MS = 10_000;

if (
  values.help ||
  ![cases, seconds, first, threads].every((value) => Number.isInteger(value) && value >= 0)
) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await main();
}

async function main(): Promise<void> {
  console.log(`first seed ${first}`);
  await using opened = await openGround({ withoutRowSecurity: values['without-row-security'] });
  const tally = new Tally();
  const begun = Date.now();
  const telling = setInterval(() => {
    const done = tally.of('cases');
    const rate = Math.round(done / ((Date.now() - begun) / 1000));
    const rest = `--seed ${first + tally.of('begun')} --cases ${cases - done}`;
    console.log(`${done} cases, ${rate} a second; to go on from here: ${rest}`);
  }, TOLD_EVERY_MS);
  const work = { ground: opened.ground, first, cases, seconds };
  const running = Array.from({ length: threads }, (_, index) =>
    run({ ...work, name: `stage${index}`, memory: tally.memory }),
  );
  const ended = await Promise.allSettled(running);
  clearInterval(telling);
  const differences = ended.flatMap((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value ?? [];
  });
  for (const difference of differences) console.error(difference);
  if (differences.length > 0) process.exitCode = EXIT_DIFFERENT;
  const [worlds, done, answers] = [tally.of('worlds'), tally.of('cases'), tally.of('answers')];
  const outcome = differences.length > 0 ? 'a difference' : 'no difference';
  console.log(`${done} cases in ${worlds} worlds, ${answers} answers, ${outcome}`);
}

/** Has a thread work; resolves with the difference that it finds. */
async function run(workerData: Work): Promise<string | undefined> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  let difference: string | undefined;
  worker.on('message', (text: string) => {
    difference = text;
  });
  await once(worker, 'exit');
  return difference;
}
