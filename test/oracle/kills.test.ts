import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runKills } from './kill-run.ts';

const indexer = resolve(import.meta.dirname, '../../indexer/src/main.ts');
// Another each day, named when something fails, so that `npm run oracle:kills` can repeat it.
const seed = Math.floor(Date.now() / 86_400_000);

it('has the same rows after 20 kills of the indexer as without', async () => {
  const { kills, rows } = await runKills({ times: 20, seed, indexer, onProgress: () => {} });
  expect(kills).toBe(20);
  expect(rows).toBeGreaterThan(500);
}, 300_000);
