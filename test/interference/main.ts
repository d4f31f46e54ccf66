import { parseArgs } from 'node:util';
import { InterferenceError } from './compare.ts';
import { EXIT_DIFFERENT } from './exit-code.ts';
import { runInterference } from './run.ts';
import { openStage } from './stage.ts';

const USAGE = `npm run interference -- [--cases 1000000] [--seconds N] [--seed N] [--without-row-security]

Draws worlds, viewers and questions by lot, asks each question over all three surfaces in two worlds that
differ only in what the viewer may not see, and compares all answers byte for byte, and with a small model.
--without-row-security has the database show everything to the gateway, whose own checks then have to do.`;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    'without-row-security': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [cases, seconds, first] = [
  Number(values.cases),
  Number(values.seconds),
  Number(values.seed),
] as const;

if (
  values.help ||
  ![cases, seconds, first].every((value) => Number.isInteger(value) && value >= 0)
) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await main();
}

async function main(): Promise<void> {
  console.log(`first seed ${first}`);
  await using stage = await openStage({ withoutRowSecurity: values['without-row-security'] });
  let told = Date.now();
  try {
    const { worlds, ...done } = await runInterference(stage, {
      ...{ first, cases, seconds },
      onProgress: (so) => {
        if (Date.now() - told < 10_000) return;
        told = Date.now();
        console.log(`${so.cases} cases`);
      },
    });
    console.log(`${done.cases} cases in ${worlds} worlds, ${done.answers} answers, no difference`);
  } catch (error) {
    if (!(error instanceof InterferenceError)) throw error;
    console.error(error.message);
    process.exitCode = EXIT_DIFFERENT;
  }
}
