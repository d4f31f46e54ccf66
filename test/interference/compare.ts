import { isDeepStrictEqual } from 'node:util';
import {
  type Answer,
  type Door,
  type Question,
  type SeenPage,
  SURFACES,
} from '@stratos/gateway/testing/doors';
import type { Model } from './model.ts';
import { expected, seen } from './questions.ts';
import type { Stage } from './stage.ts';

/** Cursors are of at least this length, and nothing else is. */
const CURSORS = /[\w-]{379,}/g;

/** Something can be learned that should not be, or is answered wrongly. */
export class InterferenceError extends Error {
  override name = 'InterferenceError';
}

export interface Case {
  door: Door;
  question: Question;
  /** Of the viewer, and of somebody else. */
  token: string;
  stranger: string;
}

/**
 * Asks the same in both worlds, to the last page, and compares all answers with each other, and what they
 * come to with the model.
 *
 * @returns how many answers were compared
 * @throws InterferenceError
 */
export async function compare(stage: Stage, model: Model, one: Case): Promise<number> {
  const [here, there] = await Promise.all(stage.scenes.map(({ url }) => follow(url, one)));
  if (!here || !there) throw new Error('there are two worlds');
  const { door, question } = one;
  const told = { door: door.name, question, viewer: model.viewer };
  for (const [page, answer] of here.answers.entries()) {
    if (!isDeepStrictEqual(answer, there.answers[page])) differ(told, answer, there.answers[page]);
  }
  if (here.answers.length !== there.answers.length) differ(told, here.answers, there.answers);
  const right = expected(model, question);
  const answer = seen(question, here.seen);
  if (!isDeepStrictEqual(answer, right)) differ(told, answer, right);
  return 2 * here.answers.length;
}

/** All pages. Each cursor is also shown where it must not be taken. */
async function follow(url: string, { door, question, token, stranger }: Case) {
  const answers: Answer[] = [];
  let posts: unknown[] = [];
  for (let next: Question | undefined = question; next; ) {
    const answer = await door.ask(url, token, next);
    answers.push(withoutCursors(answer));
    const says = read(door, next, answer);
    if (!isPage(says)) return { answers, seen: says };
    const isBackward = 'direction' in question && question.direction === 'backward';
    posts = isBackward ? [...says.posts, ...posts] : [...posts, ...says.posts];
    const { cursor }: SeenPage = says;
    checkFullness(question, says, posts.length - says.posts.length);
    if (answers.length === 1 && cursor) {
      answers.push(...(await misuse(url, { door, question, token, stranger }, cursor)));
    }
    next = cursor === undefined ? undefined : ({ ...question, cursor } as Question);
  }
  return { answers, seen: posts };
}

/** A page is full, or it is the last, and only a feed without posts has one without. */
function checkFullness(question: Question, { posts, cursor }: SeenPage, before: number): void {
  const limit = 'limit' in question ? question.limit : undefined;
  const isShort = cursor !== undefined && posts.length !== limit;
  const isEmpty = before > 0 && posts.length === 0;
  if (isShort || isEmpty) differ({ question }, `${posts.length} posts`, 'a page');
}

/** A cursor that is used by somebody else, for another feed, or with a part of it changed. */
async function misuse(
  url: string,
  { door, question, token, stranger }: Case,
  cursor: string,
): Promise<Answer[]> {
  const middle = Math.floor(cursor.length / 2);
  const changed = `${cursor.slice(0, middle)}${cursor[middle] === 'A' ? 'B' : 'A'}${cursor.slice(middle + 1)}`;
  const answers = await Promise.all([
    door.ask(url, stranger, { ...question, cursor } as Question),
    door.ask(url, token, { ...elsewhere(question), cursor } as Question),
    door.ask(url, token, { ...question, cursor: changed } as Question),
  ]);
  for (const answer of answers) {
    const isRefused = /INVALID_CURSOR|InvalidCursor/.test(answer.body);
    if (!isRefused) differ({ door: door.name, question, cursor }, answer, 'an invalid cursor');
  }
  return answers.map(withoutCursors);
}

function elsewhere(question: Question): Question {
  if (question.operation === 'search') return { ...question, text: `${question.text} other` };
  if (question.operation === 'replies') return { ...question, uri: `${question.uri}x` };
  return 'actor' in question
    ? ({ operation: 'timeline', limit: 2 } as Question)
    : ({ operation: 'authorFeed', actor: 'did:plc:ada', limit: 2 } as Question);
}

function read(door: Door, question: Question, answer: Answer): unknown {
  try {
    return door.read(question, answer);
  } catch {
    return differ({ door: door.name, question }, answer, 'an answer');
  }
}

function isPage(value: unknown): value is SeenPage {
  return typeof value === 'object' && value !== null && 'posts' in value && 'cursor' in value;
}

/** No two cursors are the same: what is to be compared of them is their length. */
function withoutCursors(answer: Answer): Answer {
  return { ...answer, body: answer.body.replace(CURSORS, ({ length }) => `<cursor of ${length}>`) };
}

function differ(about: object, one: unknown, other: unknown): never {
  const [left, right] = [one, other].map((value) => JSON.stringify(value, undefined, 1));
  throw new InterferenceError(`${JSON.stringify(about)}\n${left}\nis not\n${right}`);
}

/** Every door that there is. */
export const DOORS: readonly Door[] = SURFACES;
