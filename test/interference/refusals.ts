import type { Question } from '@stratos/gateway/testing/doors';
import type { Random } from '../random.ts';
import type { Asking } from './asking.ts';
import { type Case, differ, withoutCursors } from './compare.ts';
import { DOORS, isPage, read } from './pages.ts';
import { drawQuestion } from './questions.ts';
import type { World } from './world.ts';

const UNUSUAL = [
  ...['', ' ', '\u0000', 'at://', '../..', '%', '\u{1f600}', '\ud800', 'x'.repeat(3000)],
  ...[
    'did:plc:',
    'did:web:a.test#x',
    'at://did:plc:ada/zone.stratos.feed.post/',
    '{}',
    "' or true --",
  ],
  ...[-1, 0, 0.5, 101, 2 ** 31, 1e300, true, null, [], {}, ['x'], [null]],
];

/** A question with one argument that is not what it should be, or is one too many. */
export function malformedCase({ random, world, viewer, token }: Asking): Case {
  const door = random.oneOf(DOORS);
  const question = malformed(random, drawQuestion(random, world));
  const about = { door: door.name, question, viewer };
  return {
    about,
    async ask(gateway) {
      const answer = await door.ask(gateway, token, question);
      if (answer.status >= 500) differ(about, answer, 'an answer or a refusal');
      return { answers: [withoutCursors(answer)] };
    },
  };
}

function malformed(random: Random, question: Question): Question {
  const given = Object.keys(question).filter((name) => name !== 'operation');
  const name = random.oneOf([...given, 'cursor', 'limit', 'uri']);
  const { [name]: right } = question as unknown as Record<string, unknown>;
  const wrong =
    typeof right === 'string' && random.chance(0.5)
      ? random.oneOf([`${right}x`, `${right}/`, ` ${right}`, right.toUpperCase(), right.slice(1)])
      : random.oneOf(UNUSUAL);
  return { ...question, [name]: wrong } as unknown as Question;
}

const IS_REFUSED = /INVALID_CURSOR|InvalidCursor/;

/** A cursor that is used by somebody else, for another feed, or with a part of it changed. */
export function foreignCursorCase({ random, world, viewer, token, stranger }: Asking): Case {
  const door = random.oneOf(DOORS);
  const question = { ...drawFeed(random, world), limit: 1 } as Question;
  const about = { door: door.name, question, viewer };
  return {
    about,
    async ask(gateway) {
      const first = await door.ask(gateway, token, question);
      const says = read(door, question, first);
      const cursor = isPage(says) ? says.cursor : undefined;
      if (!cursor) return { answers: [withoutCursors(first)] };
      const misused = await Promise.all([
        door.ask(gateway, stranger, { ...question, cursor } as Question),
        door.ask(gateway, token, { ...elsewhere(question), cursor } as Question),
        door.ask(gateway, token, { ...question, cursor: changed(cursor) } as Question),
      ]);
      for (const answer of misused) {
        if (!IS_REFUSED.test(answer.body)) differ(about, answer, 'an invalid cursor');
      }
      return { answers: [first, ...misused].map(withoutCursors) };
    },
  };
}

function drawFeed(random: Random, world: World): Question {
  for (;;) {
    const question = drawQuestion(random, world);
    if ('limit' in question && question.operation !== 'thread') return question;
  }
}

function elsewhere(question: Question): Question {
  if (question.operation === 'search') return { ...question, text: `${question.text} other` };
  if (question.operation === 'replies') return { ...question, uri: `${question.uri}x` };
  return 'actor' in question
    ? { operation: 'timeline', limit: 2 }
    : { operation: 'authorFeed', actor: 'did:plc:ada', limit: 2 };
}

function changed(cursor: string): string {
  const middle = Math.floor(cursor.length / 2);
  return `${cursor.slice(0, middle)}${cursor[middle] === 'A' ? 'B' : 'A'}${cursor.slice(middle + 1)}`;
}
