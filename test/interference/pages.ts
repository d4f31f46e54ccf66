import {
  type Answer,
  type Door,
  overGraphqlProcedure,
  type Question,
  type SeenPage,
  SURFACES,
} from '@stratos/gateway/testing/doors';
import type { Asking } from './asking.ts';
import { type Case, differ, withoutCursors } from './compare.ts';
import { drawQuestion, expected, seen } from './questions.ts';

/** Every door that there is. */
export const DOORS: readonly Door[] = [...SURFACES, overGraphqlProcedure];

/** A question over every door, each to the last page. */
export function questionCases({ random, model, world, viewer, token }: Asking): Case[] {
  const question = drawQuestion(random, world);
  const right = expected(model, question);
  return DOORS.map((door) => ({
    about: { door: door.name, question, viewer },
    ask: (gateway) => follow(gateway, { door, question, token }),
    expected: right,
  }));
}

async function follow(
  gateway: string,
  { door, question, token }: { door: Door; question: Question; token: string },
) {
  const answers: Answer[] = [];
  let posts: unknown[] = [];
  for (let next: Question | undefined = question; next; ) {
    const answer = await door.ask(gateway, token, next);
    answers.push(withoutCursors(answer));
    const says = read(door, next, answer);
    if (!isPage(says)) return { answers, seen: seen(question, says) };
    checkFullness(question, says, posts.length);
    const isBackward = 'direction' in question && question.direction === 'backward';
    posts = isBackward ? [...says.posts, ...posts] : [...posts, ...says.posts];
    const { cursor }: SeenPage = says;
    next = cursor === undefined ? undefined : ({ ...question, cursor } as Question);
  }
  return { answers, seen: seen(question, posts) };
}

/** A page is full, or it is the last, and only a feed without posts has one without. */
function checkFullness(question: Question, { posts, cursor }: SeenPage, before: number): void {
  const limit = 'limit' in question ? question.limit : undefined;
  const isShort = cursor !== undefined && posts.length !== limit;
  const isEmpty = before > 0 && posts.length === 0;
  if (isShort || isEmpty) differ({ question }, `${posts.length} posts`, 'a page');
}

export function read(door: Door, question: Question, answer: Answer): unknown {
  try {
    return door.read(question, answer);
  } catch {
    return differ({ door: door.name, question }, answer, 'an answer');
  }
}

export function isPage(value: unknown): value is SeenPage {
  return typeof value === 'object' && value !== null && 'posts' in value && 'cursor' in value;
}
