import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaClient } from '@stratos/prisma';
import { Random } from '../random.ts';
import { IndexerProcess } from './indexer-process.ts';
import type { PublicPerson } from './public-person.ts';
import { settle } from './settle.ts';
import type { AppView } from './stage.ts';
import { Story } from './story.ts';
import { Tally } from './tally.ts';

export const FIREHOSE_MISHAPS = ['cut', 'held'] as const;

export interface BatchOptions {
  seeds: readonly number[];
  /** As many for each seed as a story has people. */
  people: readonly PublicPerson[];
  peoplePerStory: number;
  /** One that knows nothing yet. */
  appView: AppView;
  /** The indexer's main script. */
  indexer: string;
}

/**
 * Runs some stories at the same time over one indexer, which is killed now and then.
 *
 * @throws OracleError naming the seeds that came out wrong
 */
export async function runBatch(options: BatchOptions): Promise<Tally> {
  const { seeds, people, peoplePerStory, appView } = options;
  await using opened = new AsyncDisposableStack();
  const db = createPrismaClient(appView.databaseUrl, { poolSize: 4 });
  opened.defer(() => db.$disconnect());
  const tally = new Tally();
  const stories = new Map<number, Story>();
  for (const [index, seed] of seeds.entries()) {
    const cast = people.slice(index * peoplePerStory, (index + 1) * peoplePerStory);
    stories.set(seed, opened.use(await Story.begin(cast, { random: new Random(seed), tally })));
  }
  const indexer = opened.use(new IndexerProcess(options.indexer, appView.env));
  await indexer.start();
  const over = new AbortController();
  const random = new Random(seeds[0] ?? 0);
  await Promise.all([...stories.values()].map((story) => story.gather()));
  const disturbing = [
    killNowAndThen(indexer, random.fork(), tally, over.signal),
    disturbFirehose(appView, random.fork(), tally, over.signal),
  ];
  await Promise.all([...stories.values()].map((story) => story.happen()));
  over.abort();
  await Promise.all(disturbing);
  await settle(db, stories, () => indexer.lastWords);
  await indexer.kill('SIGTERM');
  await Promise.all(people.map((person) => person.forget()));
  return tally;
}

/** Kills the indexer at work, and the first time and sometimes later while it starts. */
async function killNowAndThen(
  indexer: IndexerProcess,
  random: Random,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const moment = (ms: number) =>
    sleep(random.between(0, ms), undefined, { signal }).catch(() => {});
  const isOver = () => signal.aborted;
  for (let kills = 0; ; kills++) {
    await moment(2_000);
    if (isOver()) return;
    await indexer.kill();
    tally.add('indexer killed');
    for (let isNext = kills === 0 || random.chance(0.4); isNext; isNext = random.chance(0.4)) {
      const started = indexer.start().catch(() => {});
      await moment(1_000);
      await indexer.kill();
      await started;
      tally.add('indexer killed at its start');
    }
    await indexer.start();
  }
}

async function disturbFirehose(
  { firehose }: AppView,
  random: Random,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(random.between(100, 2_000), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const kind = random.oneOf(FIREHOSE_MISHAPS);
    if (kind === 'cut') firehose.cut();
    else firehose.holdFor(random.between(10, 500));
    tally.add(`firehose: ${kind}`);
  }
}
