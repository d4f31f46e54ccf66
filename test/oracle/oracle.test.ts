import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { KINDS, runOracle } from './run.ts';

const indexer = resolve(import.meta.dirname, '../../indexer/src/main.ts');
/** Named in what an error says, with that of the story. */
const first = Math.floor(Math.random() * 1e9);
const SECONDS = 50;
const AT_ONCE = 100;

it(`comes to what the model says, from seed ${first} on`, async () => {
  let stories = 0;
  const onProgress = (done: number) => {
    stories = done;
  };
  const options = { first, stories: 100_000, seconds: SECONDS, atOnce: AT_ONCE };
  const tally = await runOracle({ ...options, indexer, onProgress });
  expect(KINDS.filter((kind) => tally.count(kind) === 0)).toEqual([]);
  expect(stories).toBeGreaterThanOrEqual(AT_ONCE);
}, 400_000);
