import { parentPort, workerData } from 'node:worker_threads';
import { InterferenceError } from './compare.ts';
import type { Ground } from './ground.ts';
import { runInterference } from './run.ts';
import { openStage } from './stage.ts';
import { Tally } from './tally.ts';

/** What a thread is given. */
export interface Work {
  ground: Ground;
  /** Which thread it is. */
  name: string;
  first: number;
  cases: number;
  /** After which no world begins. */
  seconds: number;
  memory: SharedArrayBuffer;
}

const { ground, name, first, cases, seconds, memory }: Work = workerData;
const tally = new Tally(memory);
await using stage = await openStage(ground, name);
const until = Date.now() + seconds * 1000;
const goesOn = () => tally.of('cases') < cases && tally.of('failures') === 0 && Date.now() < until;
try {
  await runInterference(stage, { first, tally, goesOn });
} catch (error) {
  tally.add('failures');
  if (!(error instanceof InterferenceError)) throw error;
  parentPort?.postMessage(error.message);
}
