import type { Boundary, Did } from '@stratos/protocol';
import type { Random } from '../random.ts';
import type { Model } from './model.ts';
import {
  drawMembers,
  drawPosts,
  FORGED,
  INACTIVE,
  keyOf,
  type Member,
  PEOPLE,
  type Post,
  type World,
} from './world.ts';

/** Something that happens, as the indexer tells it. */
export type Change =
  | { kind: 'post'; before: Post | undefined; after: Post | undefined }
  | { kind: 'membership'; before: Member | undefined; after: Member; boundaries: Boundary[] }
  | { kind: 'account'; did: Did }
  | { kind: 'node'; did: Did };

/** What happens to posts that somebody sees, or is to see. */
export function drawShownChanges(random: Random, model: Model, others: World): Change[] {
  const { world } = model;
  const shown = model.feed({}).filter(({ author }) => author !== FORGED);
  const touched = random.someOf(shown, random.between(0, 3)).map((before): Change => {
    const after = random.chance(0.6) ? { ...before, ...anew(random, before) } : undefined;
    return { kind: 'post', before, after };
  });
  const added = drawPosts(random, 30, [...world.posts, ...others.posts])
    .filter((post) => post.author !== FORGED && model.shown(post))
    .slice(0, random.between(0, 2))
    .map((after): Change => ({ kind: 'post', before: undefined, after }));
  return [...touched, ...added].sort(() => random.next() - 0.5);
}

/** What happens that somebody may not see. */
export function drawHiddenChanges(
  random: Random,
  model: Model,
  { world, taken }: { world: World; taken: readonly Post[] },
): Change[] {
  // What was never shown of these is told to be gone all the same.
  const isHidden = (post: Post) =>
    !model.shown(post) && post.author !== FORGED && post.author !== INACTIVE;
  const free = world.posts.filter((post) => !taken.some((one) => keyOf(one) === keyOf(post)));
  const touched = random
    .someOf(free.filter(isHidden), random.between(0, 6))
    .map((before): Change => {
      const other = { ...before, ...anew(random, before) };
      const after = random.chance(0.6) && isHidden(other) ? other : undefined;
      return { kind: 'post', before, after };
    });
  const added = drawPosts(random, 30, [...world.posts, ...taken])
    .filter(isHidden)
    .slice(0, random.between(0, 6))
    .map((after): Change => ({ kind: 'post', before: undefined, after }));
  const people = PEOPLE.filter((did) => did !== model.viewer);
  const members = drawMembers(random, [random.oneOf(people)]).slice(0, 2);
  const moved = members.map((after): Change => {
    const before = world.members.find(({ did, node }) => did === after.did && node === after.node);
    const boundaries = [...(before?.boundaries ?? []), ...after.boundaries];
    return { kind: 'membership', before, after, boundaries };
  });
  const told: Change[] = [{ kind: 'account', did: random.oneOf(people) }];
  const isOurs = (node: Did) =>
    world.members.some((one) => one.did === model.viewer && one.node === node);
  for (const { did } of world.nodes) if (!isOurs(did)) told.push({ kind: 'node', did });
  return [...touched, ...added, ...moved, ...told].sort(() => random.next() - 0.5);
}

/** Both in one order, each in its own. */
export function mix(random: Random, one: readonly Change[], other: readonly Change[]): Change[] {
  const [left, right] = [[...one], [...other]];
  const mixed: Change[] = [];
  while (left.length + right.length > 0) {
    const next = random.next() * (left.length + right.length) < left.length ? left : right;
    mixed.push(...next.splice(0, 1));
  }
  return mixed;
}

/** A world after some changes. */
export function changed(world: World, changes: readonly Change[]): World {
  const gone = new Set<Post | Member | undefined>();
  const posts: Post[] = [];
  const members: Member[] = [];
  for (const change of changes) {
    if (change.kind !== 'post' && change.kind !== 'membership') continue;
    gone.add(change.before);
    if (change.kind === 'membership') members.push(change.after);
    else if (change.after) posts.push(change.after);
  }
  const places = new Set(touchedPosts(changes).map(keyOf));
  return {
    ...world,
    posts: [...world.posts.filter((post) => !gone.has(post)), ...posts],
    members: [...world.members.filter((member) => !gone.has(member)), ...members],
    stubs: world.stubs.filter((stub) => !places.has(keyOf(stub))),
  };
}

/** As they were, or as they are if they were not there. */
export function touchedPosts(changes: readonly Change[]): Post[] {
  return changes.flatMap((change) =>
    change.kind === 'post' ? (change.before ?? change.after ?? []) : [],
  );
}

/** Where a post is not to be read any more. */
export function goneFrom({ before, after }: Extract<Change, { kind: 'post' }>): Boundary[] {
  return before?.readers.filter((one) => !after?.readers.includes(one)) ?? [];
}

/** Another text, and perhaps other boundaries of the same node. */
function anew(random: Random, { boundaries, readers }: Post): Partial<Post> {
  const text = `news x${random.between(0, 2 ** 31)}`;
  const fewer = random.chance(0.5)
    ? boundaries.slice(random.between(0, boundaries.length - 1))
    : boundaries;
  return {
    text,
    isProven: false,
    boundaries: fewer,
    readers: readers.filter((one) => fewer.includes(one)),
  };
}
