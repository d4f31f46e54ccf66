import {
  type AtUri,
  type Boundary,
  type Did,
  qualifyBoundary,
  recordUri,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Random } from '../random.ts';

/** All of a small AppView database. */
export interface World {
  nodes: { did: Did; isHeard: boolean }[];
  actors: { did: Did; handle: string; isActive: boolean }[];
  members: Member[];
  posts: Post[];
  /** What PDS say of where posts are. */
  stubs: { uri: AtUri; node: Did }[];
}

export interface Member {
  did: Did;
  node: Did;
  boundaries: Boundary[];
  isActive: boolean;
}

export interface Post {
  uri: AtUri;
  node: Did;
  author: Did;
  /** No other post has it. */
  text: string;
  /** As signed. */
  boundaries: Boundary[];
  /** As indexed: none while the author's enrollment does not stand. */
  readers: Boundary[];
  at: Date;
  parent: AtUri | undefined;
  quote: AtUri | undefined;
  /** The type of the file that it has with it. */
  file: 'image/png' | 'image/svg+xml' | undefined;
  /** Whether there is a proof of it. */
  isProven: boolean;
  /** Whether its bytes are no longer those of its CID, or its CID no longer that of the author's stub. */
  flaw: 'altered' | 'disowned' | undefined;
}

export const NODES = ['a', 'b', 'c'].map((name) => toDid(`did:plc:node${name}`));
export const NAMES = ['one', 'two', 'three'];
export const WORDS = ['apple', 'pear', 'plum', 'quince'];
export const PEOPLE = ['ada', 'bea', 'cid', 'dov', 'eve'].map((name) => toDid(`did:plc:${name}`));
/** In whose name rows were written that no indexer would. */
export const FORGED = toDid('did:plc:fox');
/** Whose account is not in use, while their posts are still indexed. */
export const INACTIVE = toDid('did:plc:gus');
export const ABSENT = 'nowhere';
export const BOUNDARIES = NODES.flatMap((node) => NAMES.map((name) => qualifyBoundary(node, name)));

const AUTHORS = [...PEOPLE, ...PEOPLE, ...PEOPLE, FORGED, FORGED, FORGED, INACTIVE];
const POSTS = 45;
const START = Date.UTC(2026, 0, 1);

export function drawWorld(random: Random): World {
  const nodes = NODES.map((did, index) => ({ did, isHeard: index === 0 || random.chance(0.5) }));
  const actors = [...PEOPLE, FORGED, INACTIVE].map((did) => ({
    did,
    handle: `${did.slice('did:plc:'.length)}.test`,
    isActive: did !== INACTIVE,
  }));
  const posts = drawPosts(random, POSTS, []);
  return {
    nodes,
    actors,
    members: drawMembers(random, PEOPLE),
    posts,
    stubs: drawStubs(random, posts),
  };
}

export function drawMembers(random: Random, people: readonly Did[]): Member[] {
  return people.flatMap((did) =>
    NODES.filter(() => random.chance(0.6)).map((node) => ({
      did,
      node,
      boundaries: someBoundaries(random, node, 0),
      isActive: random.chance(0.85),
    })),
  );
}

export function drawStubs(random: Random, posts: readonly Post[]): World['stubs'] {
  const stubs = new Map(
    posts
      .filter(({ flaw }) => flaw === 'disowned' || random.chance(0.4))
      .map(({ uri, node }) => [uri, { uri, node }]),
  );
  return [...stubs.values()];
}

/** Posts at places that are free, some of which answer or quote another, which there may be or not. */
export function drawPosts(random: Random, count: number, others: readonly Post[]): Post[] {
  const posts = new Map<string, Post>();
  const taken = new Set(others.map(keyOf));
  const uris = new Set(others.map(({ uri }) => uri));
  for (let i = 0; i < count; i++) {
    const post = drawPost(random, [...others, ...posts.values()]);
    // What is not what it should be is at one place.
    if (taken.has(keyOf(post)) || (post.author === FORGED && uris.has(post.uri))) continue;
    posts.set(keyOf(post), post);
    uris.add(post.uri);
  }
  return [...posts.values()];
}

function drawPost(random: Random, others: readonly Post[]): Post {
  const author = random.oneOf(AUTHORS);
  const node = random.oneOf(NODES);
  const rkey = `r${random.between(10, 40)}`;
  const own = someBoundaries(random, node, 1);
  const foreign = random.chance(0.15) ? [random.oneOf(BOUNDARIES)] : [];
  const boundaries = [...new Set([...own, ...foreign])].sort();
  // Nothing answers by those, because what is counted is the index.
  const isPlain = author === FORGED || author === INACTIVE;
  const reference = () => {
    if (isPlain || random.chance(0.5)) return undefined;
    return random.chance(0.1) || others.length === 0
      ? uriOf(random.oneOf(PEOPLE), ABSENT)
      : random.oneOf(others).uri;
  };
  const readers = author !== INACTIVE && random.chance(0.2) ? [] : own;
  return {
    uri: uriOf(author, rkey),
    node,
    author,
    text: [...random.someOf(WORDS, 2), `x${random.between(0, 2 ** 31)}`].join(' '),
    boundaries,
    readers: author === FORGED ? someBoundaries(random, node, 2) : readers,
    at: new Date(START + random.between(0, 60) * 1000),
    parent: reference(),
    quote: reference(),
    file: random.chance(0.3) ? random.oneOf(['image/png', 'image/svg+xml'] as const) : undefined,
    isProven: random.chance(0.6),
    flaw:
      author === FORGED && random.chance(0.5)
        ? random.oneOf(['altered', 'disowned'] as const)
        : undefined,
  };
}

function someBoundaries(random: Random, node: Did, least: number): Boundary[] {
  const names = random.someOf(NAMES, random.between(least, NAMES.length));
  return names.map((name) => qualifyBoundary(node, name)).sort();
}

export function uriOf(author: Did, rkey: string): AtUri {
  return recordUri(author, zone.stratos.feed.post.$nsid, rkey);
}

export function keyOf({ node, uri }: { node: Did; uri: AtUri }): string {
  return `${node} ${uri}`;
}
