import { type Did, toDid } from '@stratos/protocol';
import { Random } from '../random.ts';
import { type Case, compare, DOORS, InterferenceError } from './compare.ts';
import { Model } from './model.ts';
import { drawQuestion } from './questions.ts';
import type { Stage } from './stage.ts';
import { drawTwin } from './twin.ts';
import { drawWorld, PEOPLE } from './world.ts';

const OUTSIDER = toDid('did:plc:hal');
const VIEWERS_PER_WORLD = 3;
const QUESTIONS_PER_VIEWER = 40;
/** Questions under way at the same time. */
const AT_ONCE = 8;

export interface RunOptions {
  /** Seed of the first world; the others follow. */
  first: number;
  /** Questions over one door, at least. */
  cases: number;
  /** No world begins after so many seconds. */
  seconds: number;
  onProgress: (done: Tally) => void;
}

export interface Tally {
  worlds: number;
  cases: number;
  answers: number;
}

/**
 * Draws worlds, viewers and questions, and compares.
 *
 * @throws InterferenceError that names the seed
 */
export async function runInterference(stage: Stage, options: RunOptions): Promise<Tally> {
  const { first, cases, seconds, onProgress } = options;
  const done: Tally = { worlds: 0, cases: 0, answers: 0 };
  const until = Date.now() + seconds * 1000;
  while (done.cases < cases && Date.now() < until) {
    const seed = first + done.worlds;
    try {
      await runWorld(stage, new Random(seed), done);
    } catch (error) {
      if (error instanceof InterferenceError) error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
    done.worlds += 1;
    onProgress(done);
  }
  return done;
}

async function runWorld(stage: Stage, random: Random, done: Tally): Promise<void> {
  const world = drawWorld(random);
  const [scene, twinScene] = stage.scenes;
  await scene.write(world);
  for (const viewer of random.someOf([...PEOPLE, OUTSIDER], VIEWERS_PER_WORLD)) {
    const twin = drawTwin(world, viewer, random);
    await twinScene.write(twin);
    const cases = await drawCases(stage, random, viewer, () =>
      drawQuestion(random, random.chance(0.5) ? world : twin),
    );
    const model = new Model(world, viewer);
    const queue = cases.values();
    const work = async () => {
      for (const one of queue) {
        const answers = await compare(stage, model, one);
        done.answers += answers;
        done.cases += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}

async function drawCases(
  stage: Stage,
  random: Random,
  viewer: Did,
  draw: () => Case['question'],
): Promise<Case[]> {
  const others = PEOPLE.filter((did) => did !== viewer);
  const [token, stranger] = await Promise.all([
    stage.token(viewer),
    stage.token(random.oneOf(others)),
  ]);
  const questions = Array.from({ length: QUESTIONS_PER_VIEWER }, draw);
  return questions.flatMap((question) =>
    DOORS.map((door) => ({ door, question, token, stranger })),
  );
}
