import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Answer } from '@stratos/gateway/testing/doors';

/** Cursors are of at least this length, and nothing else is. */
const CURSORS = /[\w-]{379,}/g;
/** What is answered by who has no time, on each surface. */
const IS_BUSY = /UNAVAILABLE|"Unavailable/;
const MOST_TRIES = 5;

/** Something can be learned that should not be, or is answered wrongly. */
export class InterferenceError extends Error {
  override name = 'InterferenceError';
}

/** Something to be asked in two worlds. */
export interface Case {
  /** What is asked, for who reads of a difference. */
  about: object;
  ask(gateway: string): Promise<Heard>;
  /** What is to be seen; what is only to be the same in both worlds has none. */
  expected?: unknown;
}

export interface Heard {
  /** All that came, without cursors. */
  answers: readonly unknown[];
  seen?: unknown;
}

/**
 * Asks the same in both worlds, and compares all answers with each other, and what they come to with what is
 * expected. A gateway that had no time to answer is asked again.
 *
 * @returns how many answers were compared
 * @throws InterferenceError
 */
export async function compare(gateways: readonly [string, string], one: Case): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      const [here, there] = await Promise.all([one.ask(gateways[0]), one.ask(gateways[1])]);
      compareHeard(one, here, there);
      return 2 * here.answers.length;
    } catch (error) {
      const isBusy = error instanceof InterferenceError && IS_BUSY.test(error.message);
      if (!isBusy || tries === MOST_TRIES) throw error;
      await sleep(1_000);
    }
  }
}

/** @throws InterferenceError unless both are alike, and the first is as expected */
export function compareHeard(one: Omit<Case, 'ask'>, here: Heard, there: Heard): void {
  const { about } = one;
  for (const [place, answer] of here.answers.entries()) {
    if (!isDeepStrictEqual(answer, there.answers[place])) {
      differ(about, answer, there.answers[place]);
    }
  }
  if (here.answers.length !== there.answers.length) differ(about, here.answers, there.answers);
  if ('expected' in one && !isDeepStrictEqual(here.seen, one.expected)) {
    differ(about, here.seen, one.expected);
  }
}

/** No two cursors are the same: what is to be compared of them is their length. */
export function withoutCursors(answer: Answer): Answer {
  return { ...answer, body: answer.body.replace(CURSORS, ({ length }) => `<cursor of ${length}>`) };
}

export function differ(about: object, one: unknown, other: unknown): never {
  const [left, right] = [one, other].map((value) => JSON.stringify(value, undefined, 1));
  throw new InterferenceError(`${JSON.stringify(about)}\n${left}\nis not\n${right}`);
}
