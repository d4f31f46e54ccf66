import { type Did, toDid } from '@stratos/protocol';
import { Random } from '../random.ts';
import type { Asking } from './asking.ts';
import { blobCase } from './blobs.ts';
import { type Case, compare, InterferenceError } from './compare.ts';
import { runLive } from './live.ts';
import { Model } from './model.ts';
import { questionCases } from './pages.ts';
import { foreignCursorCase, malformedCase } from './refusals.ts';
import { selectionCase } from './selections.ts';
import { Signer } from './signer.ts';
import type { Stage } from './stage.ts';
import type { Tally } from './tally.ts';
import { drawTwin } from './twin.ts';
import { drawWorld, PEOPLE, type World } from './world.ts';

const OUTSIDER = toDid('did:plc:hal');
const VIEWERS_PER_WORLD = 3;
/** How often each kind of case is drawn for a viewer. */
const KINDS: readonly [times: number, draw: (asking: Asking) => Case | Case[]][] = [
  [30, questionCases],
  [30, selectionCase],
  [15, malformedCase],
  [8, foreignCursorCase],
  [8, blobCase],
];
/** Cases under way at the same time. */
const AT_ONCE = 8;

export interface RunOptions {
  /** The seed of the first world; the others follow, each with the next one of the tally. */
  first: number;
  tally: Tally;
  /** Whether another world is to begin. */
  goesOn: () => boolean;
}

/**
 * Draws worlds, viewers and questions, and compares.
 *
 * @throws InterferenceError that names the seed
 */
export async function runInterference(stage: Stage, options: RunOptions): Promise<void> {
  const { first, tally, goesOn } = options;
  while (goesOn()) {
    const seed = first + tally.add('begun');
    try {
      const random = new Random(seed);
      await runWorld(stage, random, tally);
      await runStreams(stage, random, tally);
    } catch (error) {
      if (error instanceof InterferenceError) error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
    tally.add('worlds');
  }
}

async function runWorld(stage: Stage, random: Random, tally: Tally): Promise<void> {
  const world = drawWorld(random);
  const signer = new Signer();
  for (const viewer of random.someOf([...PEOPLE, OUTSIDER], VIEWERS_PER_WORLD)) {
    const twin = drawTwin(world, viewer, random);
    await stage.show([world, twin], signer);
    const queue = (await drawCases(stage, random, { worlds: [world, twin], viewer })).values();
    const [here, there] = stage.scenes;
    const work = async () => {
      for (const one of queue) {
        const answers = await compare([here.url, there.url], one);
        tally.add('answers', answers);
        tally.add('cases');
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}

async function runStreams(stage: Stage, random: Random, tally: Tally): Promise<void> {
  const streams = await runLive(stage, random, random.oneOf([...PEOPLE, OUTSIDER]));
  tally.add('answers', 2 * streams);
  tally.add('cases', streams);
}

async function drawCases(
  stage: Stage,
  random: Random,
  { worlds: [world, twin], viewer }: { worlds: readonly [World, World]; viewer: Did },
): Promise<Case[]> {
  const others = PEOPLE.filter((did) => did !== viewer);
  const [token, stranger] = await Promise.all([
    stage.token(viewer),
    stage.token(random.oneOf(others)),
  ]);
  const asking = { random, model: new Model(world, viewer), viewer, token, stranger };
  return KINDS.flatMap(([times, draw]) =>
    Array.from({ length: times }, () =>
      draw({ ...asking, world: random.chance(0.5) ? world : twin }),
    ).flat(),
  );
}
