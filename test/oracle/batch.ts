import { setTimeout as sleep } from 'node:timers/promises';
import { createPrismaClient, type PrismaClient } from '@stratos/prisma';
import { Random } from '../random.ts';
import { appViewState, unsettled } from './appview-state.ts';
import { IndexerProcess } from './indexer-process.ts';
import type { PublicPerson } from './public-person.ts';
import { Story } from './story.ts';
import { Tally } from './tally.ts';

const PATIENCE_MS = 40_000;

export interface BatchOptions {
  seeds: readonly number[];
  /** As many for each seed as a story has people. */
  people: readonly PublicPerson[];
  /** An empty database, in which the firehose begins where it is now. */
  databaseUrl: string;
  indexer: { script: string; env: Record<string, string> };
  peoplePerStory: number;
}

/** What a process ends with then. */
export const EXIT_WRONG = 3;

/** What the AppView came to is not what the model says. */
export class OracleError extends Error {
  override name = 'OracleError';
}

/** Runs some stories at the same time over one indexer, which is killed now and then. */
export async function runBatch(options: BatchOptions): Promise<Tally> {
  const { seeds, people, databaseUrl, peoplePerStory } = options;
  await using opened = new AsyncDisposableStack();
  const db = createPrismaClient(databaseUrl, { poolSize: 4 });
  opened.defer(() => db.$disconnect());
  const tally = new Tally();
  const stories = new Map<number, Story>();
  for (const [index, seed] of seeds.entries()) {
    const cast = people.slice(index * peoplePerStory, (index + 1) * peoplePerStory);
    stories.set(seed, opened.use(await Story.begin(cast, { random: new Random(seed), tally })));
  }
  const indexer = opened.use(new IndexerProcess(options.indexer.script, options.indexer.env));
  await indexer.start();
  const over = new AbortController();
  const killing = killNowAndThen(indexer, new Random(seeds[0] ?? 0), tally, over.signal);
  await Promise.all([...stories.values()].map((story) => story.happen()));
  over.abort();
  await killing;
  await Promise.all([...stories].map(([seed, story]) => settle(db, seed, story, indexer)));
  await indexer.kill('SIGTERM');
  await Promise.all(people.map((person) => person.forget()));
  return tally;
}

async function killNowAndThen(
  indexer: IndexerProcess,
  random: Random,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const isOver = () => signal.aborted;
  while (!isOver()) {
    await sleep(random.between(50, 1_500), undefined, { signal }).catch(() => {});
    if (isOver() || random.chance(0.3)) continue;
    await indexer.kill();
    tally.add('indexer killed');
    await indexer.start();
  }
}

/** Waits until the AppView is what the model says. */
async function settle(
  db: PrismaClient,
  seed: number,
  story: Story,
  indexer: IndexerProcess,
): Promise<void> {
  const part = {
    people: story.people.map(({ did }) => did),
    nodes: story.nodes.map(({ did }) => did),
  };
  const { must, may } = story.model.expected();
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    await story.flush();
    const state = await appViewState(db, part);
    const missing = [...must].filter((line) => !state.has(line));
    const extra = [...state].filter((line) => !must.has(line) && !may.has(line));
    const open = await unsettled(db, story.positions);
    if (missing.length + extra.length + open.length === 0) return;
    if (Date.now() > deadline) {
      const lines = [
        ...missing.map((line) => `  missing: ${line}`),
        ...extra.map((line) => `  too much: ${line}`),
        ...open.map((line) => `  open: ${line}`),
      ];
      throw new OracleError(`seed ${seed}:\n${lines.join('\n')}\n${indexer.lastWords}`);
    }
    await sleep(100);
  }
}
