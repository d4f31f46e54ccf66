import type {
  Question,
  SeenPost,
  SeenProof,
  SeenReply,
  SeenThread,
} from '@stratos/gateway/testing/doors';
import type { Random } from '../random.ts';
import type { Model } from './model.ts';
import {
  ABSENT,
  BOUNDARIES,
  FORGED,
  INACTIVE,
  NODES,
  PEOPLE,
  type Post,
  uriOf,
  WORDS,
  type World,
} from './world.ts';

/** Levels of replies that a thread is asked for. */
const DEPTH = 2;

type Operation = Question['operation'];
type Asked<Name extends Operation> = Extract<Question, { operation: Name }>;

interface Kind<Name extends Operation> {
  draw(random: Random, world: World): Omit<Asked<Name>, 'operation'>;
  /** What the answer has to come to; posts of pages are those of all pages together. */
  expect(model: Model, asked: Asked<Name>): unknown;
  /** What an answer comes to. */
  see?(answer: never): unknown;
}

/** Every operation: how it is asked, and what it is to be answered. */
export const KINDS: { [Name in Operation]: Kind<Name> } = {
  viewer: {
    draw: () => ({}),
    expect: ({ viewer, scope }) => ({ did: viewer, boundaries: scope }),
    see: ({ did, boundaries }: { did: string; boundaries: string[] }) => ({ did, boundaries }),
  },
  boundaries: {
    draw: () => ({}),
    expect: (model) => memberships(model),
    see: (all: SeenBoundary[]) => all.map(seeBoundary),
  },
  boundary: {
    draw: (random) => ({ boundary: aBoundary(random) }),
    expect: (model, { boundary }) => memberships(model).find(({ uri }) => uri === boundary) ?? null,
    see: (one: SeenBoundary | null) => one && seeBoundary(one),
  },
  node: {
    draw: (random) => ({ did: random.oneOf([...NODES, 'did:web:nowhere.test']) }),
    expect: ({ world, viewer }, { did }) =>
      world.members
        .filter((member) => member.did === viewer && member.node === did)
        .map(({ isActive, boundaries }) => ({
          did,
          isEnrolled: isActive,
          boundaries: isActive ? boundaries : [],
        }))[0] ?? null,
    see: (one: SeenNode | null) =>
      one && { did: one.did, isEnrolled: one.isEnrolled, boundaries: one.boundaries },
  },
  actor: {
    draw: (random) => ({ actor: anActor(random) }),
    expect: (model, { actor }) => profile(model, didOf(model.world, actor)),
    see: (one: { did: string; boundaries: object[] } | null) =>
      one && { did: one.did, boundaries: one.boundaries },
  },
  timeline: {
    draw: (random, world) => ({ ...aPage(random), boundary: maybeBoundary(random, world) }),
    expect: (model, { boundary }) => pages(model, model.feed({ within: boundary })),
  },
  authorFeed: {
    draw: (random, world) => ({
      ...aPage(random),
      boundary: maybeBoundary(random, world),
      actor: random.chance(0.15) ? FORGED : anActor(random),
    }),
    expect: (model, { boundary, actor }) =>
      pages(model, model.feed({ within: boundary, actor: didOf(model.world, actor) })),
  },
  search: {
    draw: (random, world) => ({
      limit: random.between(1, 6),
      boundary: maybeBoundary(random, world),
      text: random.oneOf(WORDS),
    }),
    expect: (model, { boundary, text }) =>
      pages(model, model.feed({ within: boundary, word: text })),
  },
  replies: {
    draw: (random, world) => ({ ...aPage(random), uri: aUri(random, world) }),
    expect: (model, { uri }) => pages(model, model.referring('parent', uri)),
  },
  post: {
    draw: (random, world) => ({ uri: aUri(random, world) }),
    expect: (model, { uri }) => essence(model, model.at(uri)),
    see: (one: SeenPost | null) => seePost(one),
  },
  postProof: {
    draw: (random, { posts, ...world }) => {
      // There are more who may know one boundary than all of several.
      const known = ({ isProven, boundaries }: Post) => isProven && boundaries.length === 1;
      const some = random.chance(0.7) ? posts.filter(known) : posts;
      return { uri: aUri(random, { ...world, posts: some }) };
    },
    expect: (model, { uri }) => proof(model, model.at(uri)),
    see: (one: SeenProof | null) => one && seeProof(one),
  },
  posts: {
    draw: (random, world) => ({
      uris: [...new Set(Array.from({ length: random.between(1, 8) }, () => aUri(random, world)))],
    }),
    expect: (model, { uris }) => uris.map((uri) => essence(model, model.at(uri))),
    see: (all: (SeenPost | null)[]) => all.map(seePost),
  },
  thread: {
    draw: (random, world) => ({ uri: aUri(random, world), limit: random.between(1, 4) }),
    expect: (model, { uri, limit = 10 }) => {
      const post = model.at(uri);
      if (!post) return null;
      const ancestors = model.ancestors(post).map(({ text }) => text);
      return { ancestors, post: post.text, replies: replyTree(model, post, limit) };
    },
    see: (one: SeenThread | null) =>
      one && {
        ancestors: one.ancestors.map(textOf),
        post: textOf(one.post),
        replies: seeReplies(one.replies),
      },
  },
};

const NAMES = Object.keys(KINDS) as Operation[];

export function drawQuestion(random: Random, world: World): Question {
  const operation = random.oneOf(NAMES);
  return { operation, ...KINDS[operation].draw(random, world) } as Question;
}

/** What the answer to a question has to come to. */
export function expected(model: Model, question: Question): unknown {
  const kind = KINDS[question.operation] as Kind<Operation>;
  return kind.expect(model, question);
}

/** What an answer comes to. */
export function seen(question: Question, answer: unknown): unknown {
  const kind = KINDS[question.operation] as Kind<Operation>;
  return kind.see ? kind.see(answer as never) : (answer as SeenPost[]).map(seePost);
}

function pages(model: Model, posts: readonly Post[]) {
  return posts.map((post) => essence(model, post));
}

function essence(model: Model, post: Post | undefined) {
  if (!post) return null;
  const shown = [...(model.shown(post) ?? [])].sort();
  return {
    text: post.text,
    boundaries: shown,
    signed: shown,
    quote: (post.quote && model.at(post.quote)?.text) ?? null,
    replyCount: model.referring('parent', post.uri).length,
    quoteCount: model.referring('quote', post.uri).length,
  };
}

/** What the proof of a post tells; null when there is none to be had. */
export function proof(model: Model, post: Post | undefined) {
  if (!post?.isProven || !model.knows(post.author, post.boundaries)) return null;
  const { uri, node, author } = post;
  const member = model.world.members.find((one) => one.did === author && one.node === node);
  const isTold = member?.isActive && model.knows(author, member.boundaries);
  return { uri, node, saysOfAuthor: isTold ?? false };
}

function seeProof({ uri, node, membership }: SeenProof) {
  return { uri, node, saysOfAuthor: membership !== null };
}

function seePost(post: SeenPost | null) {
  if (!post) return null;
  const { boundaries, quote, replyCount, quoteCount } = post;
  return {
    text: textOf(post),
    boundaries: [...boundaries].sort(),
    signed: signedFor(post).sort(),
    quote: quote && textOf(quote),
    replyCount,
    quoteCount,
  };
}

function textOf({ record }: SeenPost): unknown {
  return Object(record).text;
}

function replyTree(model: Model, post: Post, limit: number, levels = DEPTH): unknown {
  if (levels === 0) return null;
  const all = model.referring('parent', post.uri);
  const posts = all
    .slice(0, limit)
    .map((one) => [one.text, replyTree(model, one, limit, levels - 1)]);
  return { posts, hasMore: all.length > limit };
}

/** The boundaries that the record names as it is shown. */
function signedFor({ record }: SeenPost): string[] {
  const named: { value: string }[] = Object(record).boundary.values;
  return named.map(({ value }) => value);
}

function seeReplies(replies: SeenReply['replies']): unknown {
  if (!replies) return null;
  const { posts, hasMore } = replies;
  return { posts: posts.map((one) => [textOf(one.post), seeReplies(one.replies)]), hasMore };
}

interface SeenBoundary {
  uri: string;
  isOpen: boolean;
}

interface SeenNode {
  did: string;
  isEnrolled: boolean;
  boundaries: string[];
}

function seeBoundary({ uri, isOpen }: SeenBoundary): SeenBoundary {
  return { uri, isOpen };
}

export function memberships({ world, viewer, scope }: Model): SeenBoundary[] {
  return world.members
    .filter(({ did, isActive }) => did === viewer && isActive)
    .sort((a, b) => (a.node < b.node ? -1 : 1))
    .flatMap(({ boundaries }) => boundaries)
    .map((uri) => ({ uri, isOpen: scope.includes(uri) }));
}

export function profile(model: Model, did: string | undefined) {
  const boundaries = model.scope
    .map((boundary) => ({
      boundary,
      postCount: model
        .feed({ within: boundary })
        .filter(({ author, readers }) => author === did && readers.includes(boundary)).length,
    }))
    .filter(({ postCount }) => postCount > 0 || did === model.viewer);
  return boundaries.length > 0 || did === model.viewer ? { did, boundaries } : null;
}

export function didOf({ actors }: World, actor: string): string {
  return actors.find(({ did, handle }) => did === actor || handle === actor)?.did ?? 'nobody';
}

function aPage(random: Random) {
  return {
    limit: random.between(1, 6),
    direction: random.chance(0.3) ? ('backward' as const) : ('forward' as const),
  };
}

function aBoundary(random: Random) {
  return random.oneOf([...BOUNDARIES, `${NODES[0]}/${ABSENT}`]);
}

/** Often one that the index has for a post and its record has not. */
export function maybeBoundary(random: Random, { posts }: World) {
  if (random.chance(0.5)) return undefined;
  const misplaced = posts.flatMap(({ readers, boundaries }) =>
    readers.filter((one) => !boundaries.includes(one)),
  );
  return misplaced.length > 0 && random.chance(0.5) ? random.oneOf(misplaced) : aBoundary(random);
}

export function anActor(random: Random): string {
  const did = random.oneOf([...PEOPLE, INACTIVE, `did:plc:${ABSENT}`]);
  return random.chance(0.5) ? did : `${did.slice('did:plc:'.length)}.test`;
}

export function aUri(random: Random, { posts }: World): string {
  if (posts.length === 0 || random.chance(0.1)) return uriOf(random.oneOf(PEOPLE), ABSENT);
  return random.oneOf(posts).uri;
}
