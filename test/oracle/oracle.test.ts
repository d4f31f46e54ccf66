import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runKills } from './kill-run.ts';
import { KINDS, runOracle } from './run.ts';

const indexer = resolve(import.meta.dirname, '../../indexer/src/main.ts');
// Others each day, named when something fails, so that `npm run oracle` can repeat it.
const seed = Math.floor(Date.now() / 86_400_000) * 10_000;
const onProgress = () => {};

it('comes to what the model says, whatever people, nodes and faults do', async () => {
  const options = { first: seed, stories: 10_000, seconds: 80, atOnce: 20, indexer, onProgress };
  const tally = await runOracle(options);
  expect(KINDS.filter((kind) => tally.count(kind) === 0)).toEqual([]);
}, 300_000);

it('has the same rows after 20 kills as without', async () => {
  const { kills, rows } = await runKills({ times: 20, seed, indexer, onProgress });
  expect(kills).toBe(20);
  expect(rows).toBeGreaterThan(500);
}, 300_000);
