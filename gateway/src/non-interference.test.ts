import type { Did } from '@stratos/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from './service.ts';
import { allQuestions } from './testing/all-questions.ts';
import {
  keyOf,
  type OracleWorld,
  oracleFeed,
  oracleReferences,
  oracleShown,
} from './testing/oracle.ts';
import type { Person } from './testing/people.ts';
import type { Question, SeenPage } from './testing/questions.ts';
import { anyWorld, BOUNDARIES, buildWorld, handleOf } from './testing/random-world.ts';
import { type Answer, SURFACES, type Surface } from './testing/surfaces.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';

/** How many worlds are tried. */
const RUNS = Number(process.env['NON_INTERFERENCE_RUNS'] ?? 4);

let gateway: TestGateway;
let people: Person[];
let viewer: Person;
let token: string;
let dids: Did[];
beforeAll(async () => {
  gateway = await startTestGateway();
  people = ['ada', 'bea', 'eve'].map((name) => gateway.people.add(name));
  viewer = gateway.people.add('dov');
  dids = [...people, viewer].map(({ did }) => did);
  token = await gateway.session(viewer);
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('what the viewer may not see changes nothing of any answer, and all surfaces say the same', async () => {
  await fc.assert(
    fc.asyncProperty(anyWorld(dids), fc.integer({ min: 1, max: 5 }), async (sketch, limit) => {
      const world = await buildWorld(gateway.world.prisma, dids, sketch);
      const uris = someUris(world);
      const questions = allQuestions(dids, uris, limit);
      const first = await askAll(gateway.url, questions);
      await hideAway(world);
      const later = await askAll(gateway.url, questions);
      for (const [place, question] of questions.entries()) {
        expect(later[place]?.answers, JSON.stringify(question)).toEqual(first[place]?.answers);
        const [one, ...others] = first[place]?.seen ?? [];
        for (const other of others) expect(other, JSON.stringify(question)).toEqual(one);
      }
    }),
    { numRuns: RUNS },
  );
}, 600_000);

test('nor of what is unavailable where no node answers: that is what the viewer may see, and all of it', async () => {
  await using hydrating = await startGateway({ ...gateway.config, content: 'hydrate', port: 0 });
  const url = `http://localhost:${hydrating.port}`;
  await fc.assert(
    fc.asyncProperty(anyWorld(dids), fc.integer({ min: 1, max: 5 }), async (sketch, limit) => {
      const world = await buildWorld(gateway.world.prisma, dids, sketch);
      const questions = allQuestions(dids, someUris(world), limit);
      const first = await askAll(url, questions);
      await hideAway(world);
      const later = await askAll(url, questions);
      for (const [place, question] of questions.entries()) {
        expect(later[place]?.answers, JSON.stringify(question)).toEqual(first[place]?.answers);
        const expected = readable(world, question);
        if (!expected) continue;
        for (const unavailable of first[place]?.unavailable ?? []) {
          expect(unavailable.toSorted(), JSON.stringify(question)).toEqual(expected.toSorted());
        }
      }
    }),
    { numRuns: RUNS },
  );
}, 600_000);

/** All that pages have for the viewer; undefined where the answer has none. */
function readable(world: OracleWorld, question: Question): string[] | undefined {
  const { did } = viewer;
  switch (question.operation) {
    case 'timeline':
    case 'authorFeed':
    case 'search': {
      const actor = 'actor' in question ? didOf(question.actor) : undefined;
      const words = 'text' in question ? [question.text] : undefined;
      const boundary = BOUNDARIES.find((one) => one === question.boundary);
      return [...oracleFeed(world, { viewer: did, actor, words, boundary }).keys()];
    }
    case 'replies':
      return oracleReferences(world, did, 'parent', question.uri);
    default:
      return undefined;
  }
}

function didOf(actor: string): Did | undefined {
  return dids.find((did) => did === actor || handleOf(did) === actor);
}

/** Two addresses of posts that the viewer may see, two of such that they may not, and one of nothing. */
function someUris(world: OracleWorld): string[] {
  const { did } = viewer;
  const { shown = [], hidden = [] } = Object.groupBy(world.posts, (post) =>
    oracleShown(world, did, post) ? 'shown' : 'hidden',
  );
  const referred = shown.flatMap(({ parent, quote }) =>
    [parent, quote].filter((uri) => uri !== undefined),
  );
  const some = [
    ...referred.slice(0, 2),
    ...[shown, hidden].flatMap((posts) => posts.slice(0, 2).map(({ uri }) => uri)),
  ];
  return [...new Set([...some, `at://${dids[0]}/zone.stratos.feed.post/nowhere`])];
}

/** Takes away all that the viewer may not see, and who has written nothing else. */
async function hideAway(world: OracleWorld): Promise<void> {
  const { prisma } = gateway.world;
  const { did } = viewer;
  const shown = world.posts.filter((post) => oracleShown(world, did, post));
  for (const post of world.posts.filter((one) => !shown.includes(one))) {
    const id = { uri: post.uri, nodeDid: post.node };
    await prisma.post.delete({ where: { uri_nodeDid: id } });
  }
  const authors = [did, ...shown.map(({ author }) => author)];
  await prisma.membership.deleteMany({ where: { did: { not: did } } });
  await prisma.actor.deleteMany({ where: { did: { notIn: authors } } });
}

interface Asked {
  /** Of each surface all pages, with cursors taken out. */
  answers: Answer[][];
  seen: unknown[];
  /** Of all pages together, what they lack. */
  unavailable: string[][];
}

async function askAll(url: string, questions: readonly Question[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const question of questions) {
    const all = await Promise.all(SURFACES.map((surface) => followToEnd(url, surface, question)));
    asked.push({
      answers: all.map(({ answers }) => answers),
      seen: all.map(({ seen }) => seen),
      unavailable: all.map(({ unavailable }) => unavailable),
    });
  }
  return asked;
}

/** Asks, and asks for the next page as long as there is one. */
async function followToEnd(
  url: string,
  surface: Surface,
  question: Question,
): Promise<{ answers: Answer[]; seen: unknown[]; unavailable: string[] }> {
  const answers: Answer[] = [];
  const seen: unknown[] = [];
  const unavailable: string[] = [];
  for (let next: Question | undefined = question; next; ) {
    const answer = await surface.ask(url, token, next);
    answers.push(withoutCursors(answer));
    const says: unknown = answer.status < 500 ? surface.read(next, answer) : answer;
    const cursor: string | undefined = isPage(says) ? says.cursor : undefined;
    seen.push(isPage(says) ? says.posts : says);
    if (isPage(says)) unavailable.push(...says.unavailable.map(keyOf));
    next = cursor === undefined ? undefined : ({ ...question, cursor } as Question);
  }
  return { answers, seen, unavailable };
}

function isPage(value: unknown): value is SeenPage {
  return typeof value === 'object' && value !== null && 'posts' in value && 'cursor' in value;
}

/** No two cursors are the same: what is to be compared of them is their length. */
function withoutCursors(answer: Answer): Answer {
  const body = answer.body.replace(/[\w-]{300,}/g, ({ length }) => `<a cursor of ${length}>`);
  return { ...answer, body };
}
