import type { Did } from '@stratos/protocol';
import type { Question } from './questions.ts';
import { BOUNDARIES, handleOf, NODES, WORDS } from './random-world.ts';

/** Every question there is, about all people and boundaries and some addresses, in pages of a size. */
export function allQuestions(
  people: readonly Did[],
  uris: readonly string[],
  limit: number,
): Question[] {
  const paged = (['forward', 'backward'] as const).map((direction) => ({ direction, limit }));
  const [boundary] = BOUNDARIES;
  const ofPerson = (actor: Did): Question[] => [
    { operation: 'actor', actor },
    { operation: 'actor', actor: handleOf(actor) },
    ...paged.map((page): Question => ({ operation: 'authorFeed', actor, ...page })),
    { operation: 'authorFeed', actor: handleOf(actor), limit },
  ];
  const ofPost = (uri: string): Question[] => [
    { operation: 'post', uri },
    { operation: 'thread', uri, limit },
    ...paged.map((page): Question => ({ operation: 'replies', uri, ...page })),
  ];
  return [
    { operation: 'viewer' },
    { operation: 'boundaries' },
    ...BOUNDARIES.map((one): Question => ({ operation: 'boundary', boundary: one })),
    ...NODES.map((did): Question => ({ operation: 'node', did })),
    ...[undefined, boundary].flatMap((within) =>
      paged.map((page): Question => ({ operation: 'timeline', boundary: within, ...page })),
    ),
    ...WORDS.map((text): Question => ({ operation: 'search', text, limit })),
    { operation: 'posts', uris: uris.slice(0, 25) },
    ...people.flatMap(ofPerson),
    ...uris.flatMap(ofPost),
  ];
}
