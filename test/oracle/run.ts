import { runBatch } from './batch.ts';
import { COMMIT_LIES, FRAME_LIES } from './lies.ts';
import { MISHAPS } from './mishaps.ts';
import { openStage } from './stage.ts';
import { EVENTS, REPO_LIES } from './story.ts';
import { Tally } from './tally.ts';

const PEOPLE_PER_STORY = 2;

/** Everything that can happen. */
export const KINDS: readonly string[] = [
  ...EVENTS,
  ...MISHAPS.map((kind) => `frame: ${kind}`),
  ...REPO_LIES.map((kind) => `repo: ${kind}`),
  ...Object.keys(COMMIT_LIES).map((kind) => `commit: ${kind}`),
  ...Object.keys(FRAME_LIES).map((kind) => `frame: ${kind}`),
  'indexer killed',
];

export interface OracleOptions {
  /** Seed of the first story; the others follow. */
  first: number;
  stories: number;
  /** No batch begins after so many seconds. */
  seconds: number;
  /** Stories at the same time. */
  atOnce: number;
  /** The indexer's main script. */
  indexer: string;
  onProgress: (done: number) => void;
}

/**
 * Lets stories happen and compares what the AppView comes to with what the model says.
 *
 * @throws OracleError for the first story that comes out wrong
 */
export async function runOracle(options: OracleOptions): Promise<Tally> {
  const { first, stories, seconds, atOnce, indexer, onProgress } = options;
  await using stage = await openStage(Math.min(atOnce, stories) * PEOPLE_PER_STORY);
  const tally = new Tally();
  const until = Date.now() + seconds * 1000;
  for (let done = 0; done < stories && Date.now() < until; ) {
    const count = Math.min(atOnce, stories - done);
    // What earlier batches left on the PDS is none of the next one's business.
    await using appView = await stage.openAppView(await stage.firehosePosition());
    const { databaseUrl, env } = appView;
    const seeds = Array.from({ length: count }, (_, index) => first + done + index);
    const people = stage.people.slice(0, count * PEOPLE_PER_STORY);
    const batch = { seeds, people, peoplePerStory: PEOPLE_PER_STORY, databaseUrl };
    tally.addAll(await runBatch({ ...batch, indexer: { script: indexer, env } }));
    done += count;
    onProgress(done);
  }
  return tally;
}
