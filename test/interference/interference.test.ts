import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const CASES = 5_000;
const main = join(import.meta.dirname, 'main.ts');
// Another each day, named when something fails, so that `npm run interference` can repeat it.
const seed = Math.floor(Date.now() / 86_400_000) * 1_000;

it.each([
  ['both lines of defence', []],
  ['the gateway alone', ['--without-row-security']],
])(
  'tells nobody what they may not see: %s',
  async (_, more) => {
    const args = [main, '--cases', String(CASES), '--seed', String(seed), ...more];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const [, cases] = stdout.match(/^(\d+) cases in .*no difference$/m) ?? [];
    expect(Number(cases)).toBeGreaterThanOrEqual(CASES);
  },
  300_000,
);
