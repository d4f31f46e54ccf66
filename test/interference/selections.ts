import { GRAPHQL_PROCEDURE, graphql } from '@stratos/gateway/testing/doors';
import { boundaryName, boundaryNode } from '@stratos/protocol';
import type { Random } from '../random.ts';
import type { Asking } from './asking.ts';
import { type Case, differ, withoutCursors } from './compare.ts';
import { fileOf } from './files.ts';
import type { Model } from './model.ts';
import { anActor, aUri, didOf, maybeBoundary, memberships, profile, proof } from './questions.ts';
import { NODES, type Post, WORDS, type World } from './world.ts';

/** How many times it goes from one post to others. */
const LEVELS = 3;

/** A query that goes from some things to others, as it comes. */
export function selectionCase({ random, model, world, viewer, token }: Asking): Case {
  const selections = draw(random, world, 'Query', LEVELS);
  const query = `{ ${selections.map(print).join(' ')} }`;
  const path = random.chance(0.3) ? GRAPHQL_PROCEDURE : '/graphql';
  const about = { path, query, viewer };
  return {
    about,
    async ask(gateway) {
      const answer = await graphql(gateway, token, query, {}, path);
      const { data, errors } = JSON.parse(answer.body, withoutStatements);
      if (errors || !data) differ(about, answer, 'an answer');
      return { answers: [withoutCursors(answer)], seen: data };
    },
    expected: answerTo(model, undefined, selections),
  };
}

/** A field that is asked for, and what of it. */
interface Selection {
  name: string;
  field: Field;
  args: object;
  selections: Selection[];
}

interface Field {
  args?(random: Random, world: World): object;
  /** What it is, unless it is a value. */
  of?: TypeName;
  /** What it comes to: one subject or value, many, or null. */
  value(model: Model, subject: never, args: never): unknown;
}

type TypeName =
  | ('Query' | 'Node' | 'Post' | 'PostConnection' | 'PostEdge' | 'PostProof' | 'Thread' | 'Profile')
  | ('Viewer' | 'Actor' | 'BoundaryInfo' | 'SharedBoundary' | 'Membership' | 'Image' | 'Blob');

/** What posts are reached by. */
const WAYS: readonly TypeName[] = [
  'Post',
  'PostConnection',
  'PostEdge',
  'Thread',
  'Profile',
  'Node',
];

const same = { value: (_: Model, subject: unknown) => subject };

function own(name: string): Field {
  return { value: (_, subject: Record<string, unknown>) => subject[name] ?? null };
}

function page(
  posts: (model: Model, subject: never, args: never) => Post[],
  args: Field['args'] = () => ({}),
): Field {
  return {
    of: 'PostConnection',
    args: (random, world) => ({ first: random.between(1, 3), ...args(random, world) }),
    value: (model, subject, asked) => ({
      edges: posts(model, subject, asked).slice(0, Object(asked).first),
    }),
  };
}

const byUri = (random: Random, world: World) => ({ uri: aUri(random, world) });
const ofActor = (random: Random) => ({ actor: anActor(random) });
const within = (random: Random, world: World) => {
  const boundary = maybeBoundary(random, world);
  return boundary ? { boundary } : {};
};

interface Uri {
  uri: string;
}
interface Within {
  boundary?: string;
}
interface Actor {
  actor: string;
}

const TYPES: Record<TypeName, Record<string, Field>> = {
  Query: {
    post: { of: 'Post', args: byUri, value: (model, _, { uri }: Uri) => model.at(uri) ?? null },
    node: {
      of: 'Node',
      args: (random, world) => ({ id: anId(random, world) }),
      value: (model, _, { id }: { id: string }) => postOf(model, id),
    },
    posts: {
      of: 'Post',
      args: (random, world) => ({ uris: [aUri(random, world), aUri(random, world)] }),
      value: (model, _, { uris }: { uris: string[] }) => uris.map((uri) => model.at(uri) ?? null),
    },
    thread: {
      of: 'Thread',
      args: (random, world) => ({ uri: aUri(random, world), height: random.between(0, 3) }),
      value: (model, _, { uri, height }: Uri & { height: number }) => {
        const post = model.at(uri);
        return post ? { post, ancestors: model.ancestors(post, height) } : null;
      },
    },
    timeline: page((model, _, { boundary }: Within) => model.feed({ within: boundary }), within),
    authorFeed: page(
      (model, _, { actor, boundary }: Actor & Within) =>
        model.feed({ within: boundary, actor: didOf(model.world, actor) }),
      (random, world) => ({ ...ofActor(random), ...within(random, world) }),
    ),
    search: page(
      (model, _, { text, boundary }: { text: string } & Within) =>
        model.feed({ within: boundary, word: text }),
      (random, world) => ({ text: random.oneOf(WORDS), ...within(random, world) }),
    ),
    replies: page((model, _, { uri }: Uri) => model.referring('parent', uri), byUri),
    actor: {
      of: 'Profile',
      args: ofActor,
      value: (model, _, { actor }: Actor) => profile(model, didOf(model.world, actor)),
    },
    viewer: { of: 'Viewer', value: ({ viewer: did, scope: boundaries }) => ({ did, boundaries }) },
    boundaries: { of: 'BoundaryInfo', value: (model) => memberships(model).map(({ uri }) => uri) },
  },
  Post: {
    uri: own('uri'),
    text: own('text'),
    replyParent: own('parent'),
    author: { of: 'Actor', value: (_, { author }: Post) => author },
    boundaries: { of: 'BoundaryInfo', value: (model, post: Post) => model.shown(post) ?? [] },
    images: { of: 'Image', value: (_, post: Post) => (post.file ? [post] : []) },
    quote: { of: 'Post', value: (model, { quote }: Post) => (quote && model.at(quote)) ?? null },
    replies: page((model, { uri }: Post) => model.referring('parent', uri)),
    replyCount: { value: (model, { uri }: Post) => model.referring('parent', uri).length },
    quoteCount: { value: (model, { uri }: Post) => model.referring('quote', uri).length },
    proof: { of: 'PostProof', value: proof },
  },
  Node: { __typename: { value: () => 'Post' }, '... on Post': { of: 'Post', ...same } },
  Thread: { post: { of: 'Post', ...own('post') }, ancestors: { of: 'Post', ...own('ancestors') } },
  PostConnection: { edges: { of: 'PostEdge', ...own('edges') } },
  PostEdge: { node: { of: 'Post', ...same } },
  Profile: {
    did: own('did'),
    boundaries: { of: 'SharedBoundary', ...own('boundaries') },
    posts: page(
      (model, { did }: { did: string }, { boundary }: Within) =>
        model.feed({ actor: did, within: boundary }),
      within,
    ),
  },
  SharedBoundary: {
    boundary: { of: 'BoundaryInfo', ...own('boundary') },
    postCount: own('postCount'),
  },
  Viewer: { did: own('did'), boundaries: { of: 'BoundaryInfo', ...own('boundaries') } },
  BoundaryInfo: {
    uri: same,
    name: { value: (_, boundary) => boundaryName(boundary) },
    node: { value: (_, boundary) => boundaryNode(boundary) },
    membership: {
      of: 'Membership',
      value: (model, boundary) => memberships(model).find(({ uri }) => uri === boundary) ?? null,
    },
  },
  Membership: { isOpen: own('isOpen') },
  Actor: {
    did: same,
    handle: {
      value: ({ world }, did) =>
        world.actors.find((actor) => actor.did === did)?.handle ?? 'handle.invalid',
    },
  },
  Image: { blob: { of: 'Blob', value: (_, post: Post) => fileOf(post) } },
  Blob: {
    cid: own('cid'),
    mimeType: own('mimeType'),
    size: { value: (_, { bytes }: { bytes: Buffer }) => bytes.length },
  },
  PostProof: {
    uri: own('uri'),
    node: own('node'),
    membership: { value: (_, { saysOfAuthor }: { saysOfAuthor: boolean }) => saysOfAuthor || null },
  },
};

function draw(random: Random, world: World, type: TypeName, levels: number): Selection[] {
  const affordable = Object.entries(TYPES[type]).filter(
    ([, { of }]) => levels > 0 || !of || !WAYS.includes(of),
  );
  return random.someOf(affordable, random.between(1, 3)).map(([name, field]) => ({
    name,
    field,
    args: field.args?.(random, world) ?? {},
    selections: field.of
      ? draw(
          random,
          world,
          field.of,
          levels - Number(field.of === 'Post' || field.of === 'Profile'),
        )
      : [],
  }));
}

function print({ name, args, selections }: Selection): string {
  const given = Object.entries(args).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const [start, end] = [given.length > 0 ? `(${given.join(', ')})` : '', selections.map(print)];
  return `${name}${start}${end.length > 0 ? ` { ${end.join(' ')} }` : ''}`;
}

function anId(random: Random, { posts }: World): string {
  const { node, uri } = random.oneOf(posts);
  const at = random.chance(0.8) ? node : random.oneOf(NODES);
  return Buffer.from(`Post:${at} ${uri}`).toString('base64url');
}

function postOf(model: Model, id: string): Post | null {
  const [, name] = Buffer.from(id, 'base64url').toString().split('Post:');
  const [node, uri = ''] = name?.split(' ') ?? [];
  return model.at(uri, node) ?? null;
}

/** Of what a node states in a proof it is enough that it is there. */
function withoutStatements(key: string, value: unknown): unknown {
  return key === 'membership' && typeof value === 'string' ? true : value;
}

/** What a selection of a subject comes to. */
function answerTo(model: Model, subject: unknown, selections: readonly Selection[]): unknown {
  if (subject === null) return null;
  if (Array.isArray(subject)) return subject.map((one) => answerTo(model, one, selections));
  return Object.assign(
    {},
    ...selections.map(({ name, field, args, selections: inner }) => {
      const found = field.value(model, subject as never, args as never);
      const value = inner.length > 0 ? answerTo(model, found, inner) : found;
      return name.startsWith('...') ? value : { [name]: value };
    }),
  );
}
