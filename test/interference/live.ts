import { type Boundary, boundaryNode, type Did, qualifyBoundary } from '@stratos/protocol';
import type { Random } from '../random.ts';
import {
  type Change,
  changed,
  drawHiddenChanges,
  drawShownChanges,
  goneFrom,
  mix,
  touchedPosts,
} from './changes.ts';
import { compareHeard, differ } from './compare.ts';
import { type Follower, LIVE_DOORS, type LiveDoor, type SeenEvent } from './followers.ts';
import { Model } from './model.ts';
import { Signer } from './signer.ts';
import type { Stage } from './stage.ts';
import { drawTwin } from './twin.ts';
import { BOUNDARIES, drawWorld, NODES, PEOPLE, type Post, uriOf, type World } from './world.ts';
import { writeChanges } from './write-changes.ts';

const [NODE] = NODES as [Did, ...Did[]];
/** Whoever listens is a member of it. */
const STAGE = qualifyBoundary(NODE, 'stage');
const IS_REFUSED = /INVALID_CURSOR|InvalidCursor/;

/** What happens at once in both worlds, and in each alone, and how the worlds are then. */
interface Batch {
  worlds: readonly [World, World];
  changes: readonly [readonly Change[], readonly Change[]];
  shown: readonly Change[];
  /** What comes last, and everybody sees. */
  last: Post;
}

/** A stream in both worlds. */
interface Pair {
  door: LiveDoor;
  within: Boundary | undefined;
  followers: readonly [Follower, Follower];
}

/**
 * Has somebody listen in two worlds while other things happen there that they may not see, and compares all
 * that comes; then again with what they are told when they come back.
 *
 * @returns how many streams were compared
 * @throws InterferenceError
 */
export async function runLive(stage: Stage, random: Random, viewer: Did): Promise<number> {
  const others = PEOPLE.filter((did) => did !== viewer);
  const [neighbour, stranger] = [random.oneOf(others), random.oneOf(others)];
  const drawn = listenedTo(drawWorld(random), viewer);
  const own = new Model(drawn, viewer).scope;
  const read = random.chance(0.5) ? own : [...BOUNDARIES, STAGE];
  const world = readBy(drawn, neighbour, read);
  // Whoever writes something that is seen is called the same in both.
  const twin = {
    ...readBy(drawTwin(world, viewer, random), neighbour, read),
    actors: world.actors,
  };
  const signer = new Signer();
  await stage.show([world, twin], signer);
  const within = random.oneOf(own.filter((one) => boundaryNode(one) === NODE));
  const first = drawBatch(random, { worlds: [world, twin], viewer, within, name: 'first' });
  const second = drawBatch(random, { worlds: first.worlds, viewer, within, name: 'second' });
  const [token, neighbours, strangers] = await Promise.all([
    stage.token(viewer),
    stage.token(neighbour),
    stage.token(stranger),
  ]);

  await using opened = new AsyncDisposableStack();
  const follow = (
    door: LiveDoor,
    boundary: Boundary | undefined,
    { as = token, after }: { as?: string; after?: Pair } = {},
  ): Pair => {
    const followers = stage.scenes.map(({ url }, place) => {
      const cursor = after && cursorAt(after, first.last, place);
      return opened.use(door.follow(url, { token: as, boundary, after: cursor }));
    });
    return { door, within: boundary, followers: followers as [Follower, Follower] };
  };
  const beside = LIVE_DOORS.map((door) => follow(door, undefined, { as: neighbours }));
  await all(beside, ([type]) => type === 'opened');
  const pairs = LIVE_DOORS.flatMap((door) => [follow(door, undefined), follow(door, within)]);
  await all(pairs, ([type]) => type === 'opened');
  for (const { changes, last } of [first, second]) {
    const writing = stage.scenes.map(({ client }, place) =>
      writeChanges(client, changes[place] ?? [], signer),
    );
    await Promise.all(writing);
    await all(pairs, ([type, text]) => type === 'post' && text === last.text);
  }
  for (const pair of pairs) check(pair, viewer, [first, second]);
  const resumed = pairs.map((pair) => follow(pair.door, pair.within, { after: pair }));
  await all(resumed, ([type, text]) => type === 'post' && text === second.last.text);
  for (const pair of resumed) check(pair, viewer, [second]);
  await refuse(stage, random.oneOf(pairs), { token, stranger: strangers, last: first.last });
  return pairs.length + resumed.length;
}

/** With a boundary in which somebody listens, and every node heard. */
function listenedTo(world: World, viewer: Did): World {
  const isHere = ({ did, node }: { did: Did; node: Did }) => did === viewer && node === NODE;
  const before = world.members.find(isHere);
  const boundaries = [...(before?.isActive ? before.boundaries : []), STAGE];
  return {
    ...world,
    nodes: world.nodes.map((node) => ({ ...node, isHeard: true })),
    members: [
      ...world.members.filter((member) => !isHere(member)),
      { did: viewer, node: NODE, boundaries, isActive: true },
    ],
  };
}

/** With somebody who reads these boundaries, and listens beside them. */
function readBy(world: World, did: Did, read: readonly Boundary[]): World {
  const members = NODES.map((node) => {
    const boundaries = read.filter((one) => boundaryNode(one) === node);
    return { did, node, boundaries, isActive: true };
  });
  const others = world.members.filter((member) => member.did !== did);
  return { ...world, members: [...others, ...members] };
}

interface Drawing {
  worlds: readonly [World, World];
  viewer: Did;
  within: Boundary;
  name: string;
}

function drawBatch(random: Random, { worlds, viewer, within, name }: Drawing): Batch {
  const [world, twin] = worlds;
  const [model, twinModel] = [new Model(world, viewer), new Model(twin, viewer)];
  const last = lastPost(name, [...new Set([within, STAGE])].sort(), viewer);
  const end: Change = { kind: 'post', before: undefined, after: last };
  const lost = random.chance(0.3) ? drawLoss(random, model, within) : [];
  const shown = [...lost, ...drawShownChanges(random, model, twin)];
  const taken = touchedPosts(shown);
  const changes = [
    [...mix(random, shown, drawHiddenChanges(random, model, { world, taken })), end],
    [...mix(random, shown, drawHiddenChanges(random, twinModel, { world: twin, taken })), end],
  ] as const;
  return {
    worlds: [changed(world, changes[0]), changed(twin, changes[1])],
    changes,
    shown: [...shown, end],
    last,
  };
}

/** That somebody is no longer a member of one of their boundaries. */
function drawLoss(random: Random, { world, viewer, scope }: Model, within: Boundary): Change[] {
  const losable = scope.filter((one) => one !== within && one !== STAGE);
  if (losable.length === 0) return [];
  const lost = random.oneOf(losable);
  return world.members
    .filter(({ did, boundaries }) => did === viewer && boundaries.includes(lost))
    .map((before) => {
      const boundaries = before.boundaries.filter((one) => one !== lost);
      const after = { ...before, boundaries };
      return { kind: 'membership', before, after, boundaries: [lost] };
    });
}

function lastPost(name: string, boundaries: Boundary[], viewer: Did): Post {
  const author = PEOPLE.find((did) => did !== viewer) ?? viewer;
  return {
    ...{ uri: uriOf(author, name), node: NODE, author, text: `the ${name} end` },
    ...{ boundaries, readers: boundaries, at: new Date(Date.UTC(2026, 1)) },
    ...{ parent: undefined, quote: undefined, file: undefined, isProven: false, flaw: undefined },
  };
}

async function all(pairs: readonly Pair[], isIt: (event: SeenEvent) => boolean): Promise<void> {
  const followers = pairs.flatMap((pair) => pair.followers);
  await Promise.all(followers.map((one) => one.until((seen) => seen.some(isIt))));
}

function check(pair: Pair, viewer: Did, batches: readonly Batch[]): void {
  const { door, within, followers } = pair;
  const [here, there] = followers;
  const expected = [
    ['opened'],
    ...batches.flatMap(({ worlds: [world], shown }) => {
      const model = new Model(world, viewer);
      return shown.flatMap((change) => expectedOf(change, model, within));
    }),
  ];
  const happened = batches.map(({ changes }) => changes);
  const about = { stream: door.name, within, viewer, happened };
  compareHeard({ about, expected }, here, there);
}

/** What is told of a change, as all is after it. */
function expectedOf(change: Change, model: Model, within: Boundary | undefined): SeenEvent[] {
  if (change.kind === 'membership' && !within) {
    return change.boundaries.map((boundary) => ['boundaryClosed', boundary]);
  }
  if (change.kind !== 'post') return [];
  const { before, after } = change;
  if (after && model.feed({ within }).includes(after)) {
    const isTold = (one: Boundary) => after.author === model.viewer || after.readers.includes(one);
    return [['post', after.text, model.shown(after)?.filter(isTold)]];
  }
  const isOpen = (one: Boundary) => (within ? one === within : model.scope.includes(one));
  return before && goneFrom(change).some(isOpen) ? [['removed', before.uri, before.node]] : [];
}

/** The cursor of a post in a stream. */
function cursorAt({ followers }: Pair, { text }: Post, place: number): string {
  const told = followers[place]?.told.find(({ seen }) => seen?.[1] === text);
  return told?.cursor ?? differ({ text }, followers[place]?.answers, 'a stream with cursors');
}

/** Shows a cursor where it must not be taken. */
async function refuse(
  stage: Stage,
  pair: Pair,
  { token, stranger, last }: { token: string; stranger: string; last: Post },
): Promise<void> {
  const { door, within } = pair;
  const [{ url }] = stage.scenes;
  const after = cursorAt(pair, last, 0);
  const elsewhere = qualifyBoundary(NODE, 'elsewhere');
  const start = after.startsWith('A') ? 'Q' : 'A';
  const wrong = [
    { token: stranger, boundary: within, after },
    { token, boundary: elsewhere, after },
    { token, boundary: within, after: `${start}${after.slice(1)}` },
  ];
  for (const following of wrong) {
    await using follower = door.follow(url, following);
    await follower.over();
    const { answers } = follower;
    if (!IS_REFUSED.test(answers.join(' '))) differ({ door: door.name }, answers, 'a refusal');
  }
}
