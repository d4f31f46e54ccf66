import { FIREHOSE_MISHAPS, runBatch } from './batch.ts';
import { COMMIT_LIES, FRAME_LIES, REPO_LIES } from './lies.ts';
import { MISHAPS } from './mishaps.ts';
import { OracleError } from './oracle-error.ts';
import { openStage } from './stage.ts';
import { EVENTS } from './story.ts';
import { Tally } from './tally.ts';

const PEOPLE_PER_STORY = 2;

/** Everything that can happen. */
export const KINDS: readonly string[] = [
  ...EVENTS,
  ...MISHAPS.map((kind) => `frame: ${kind}`),
  ...Object.keys(REPO_LIES).map((kind) => `repo: ${kind}`),
  ...Object.keys(COMMIT_LIES).map((kind) => `commit: ${kind}`),
  ...Object.keys(FRAME_LIES).map((kind) => `frame: ${kind}`),
  ...FIREHOSE_MISHAPS.map((kind) => `firehose: ${kind}`),
  'indexer killed',
  'indexer killed at its start',
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
  /** Told of each batch in which a story came out wrong; without it the first is the end. */
  onWrong?: ((error: OracleError) => void) | undefined;
}

/**
 * Lets stories happen and compares what the AppView comes to with what the model says.
 *
 * @throws OracleError for stories that come out wrong, unless `onWrong` takes it
 */
export async function runOracle(options: OracleOptions): Promise<Tally> {
  const { first, stories, seconds, atOnce, indexer, onProgress, onWrong } = options;
  await using stage = await openStage(Math.min(atOnce, stories) * PEOPLE_PER_STORY);
  const tally = new Tally();
  const until = Date.now() + seconds * 1000;
  for (let done = 0; done < stories && Date.now() < until; ) {
    const count = Math.min(atOnce, stories - done);
    // What earlier batches left on the PDS is none of the next one's business.
    await using appView = await stage.openAppView(await stage.firehosePosition());
    const seeds = Array.from({ length: count }, (_, index) => first + done + index);
    const people = stage.people.slice(0, count * PEOPLE_PER_STORY);
    const batch = { seeds, people, peoplePerStory: PEOPLE_PER_STORY, appView, indexer };
    try {
      tally.addAll(await runBatch(batch));
    } catch (error) {
      if (!(onWrong && error instanceof OracleError)) throw error;
      onWrong(error);
      await Promise.all(people.map((person) => person.forget()));
    }
    done += count;
    onProgress(done);
  }
  return tally;
}
