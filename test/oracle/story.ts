import { setTimeout as sleep } from 'node:timers/promises';
import { Author, create, LyingNode, remove, update } from '@stratos/indexer/testing';
import type { Random } from '../random.ts';
import { FLAWS, flawed } from './flaws.ts';
import { COMMIT_LIES, FRAME_LIES, type Liar, REPO_LIES } from './lies.ts';
import { Mishaps } from './mishaps.ts';
import { Model } from './model.ts';
import { openPlace, type Place } from './place.ts';
import type { PublicPerson } from './public-person.ts';
import type { Tally } from './tally.ts';

/** What happens in stories beside lies and mishaps. */
export const EVENTS = [
  ...FLAWS,
  'a commit kept back',
  'account put aside',
  'account taken up',
  'create',
  'delete',
  'enrollment',
  'enrollment record deleted',
  'enrollment with another key',
  'events no longer kept',
  'leaving',
  'membership',
  'stub',
  'stub deleted',
  'update',
] as const;

const NAMES = ['art', 'cooks', 'writers'] as const;
const FIRST_CONTACT_MS = 20_000;
/** Each is a transaction. */
const BEAT_MS = 2_000;

/** Some people at some nodes, and what happens to them, all by one seed. */
export class Story implements AsyncDisposable {
  readonly model = new Model();
  readonly nodes: readonly LyingNode[];
  readonly people: readonly PublicPerson[];
  readonly #places: Place[];
  readonly #mishaps: Map<LyingNode, Mishaps>;
  readonly #enrolled = new Set<Place>();
  /** Those of whom the AppView has reason to know. */
  readonly #known = new Set<PublicPerson>();
  readonly #isLossy: boolean;
  readonly #random: Random;
  /** For what depends on how fast others are, so that the rest does not. */
  readonly #aside: Random;
  readonly #tally: Tally;
  #records = 0;
  #beatAt = 0;
  /** Whether nothing is lost any more. */
  #isOver = false;
  /** Whether nothing happens any more. */
  #isDone = false;

  private constructor(
    { random, tally, isLossy }: { random: Random; tally: Tally; isLossy: boolean },
    people: readonly PublicPerson[],
    places: Place[],
  ) {
    this.#random = random;
    this.#aside = random.fork();
    this.#tally = tally;
    this.#isLossy = isLossy;
    this.#places = places;
    this.people = people;
    this.nodes = [...new Set(places.map(({ node }) => node))];
    this.#mishaps = new Map(
      this.nodes.map((node) => [
        node,
        new Mishaps(node, { random: random.fork(), tally, isLossy }),
      ]),
    );
  }

  static async begin(
    people: readonly PublicPerson[],
    options: { random: Random; tally: Tally },
  ): Promise<Story> {
    const { random } = options;
    const nodes = [await LyingNode.start()];
    if (random.chance(0.5)) nodes.push(await LyingNode.start());
    const places: Place[] = [];
    for (const person of people) {
      for (const node of nodes) places.push(await openPlace(person, node));
    }
    return new Story({ ...options, isLossy: random.chance(0.5) }, people, places);
  }

  /** Lets people come, and the indexer find their nodes, so that what follows happens on its watch. */
  async gather(): Promise<void> {
    for (const place of this.#places) if (this.#random.chance(0.8)) await this.#join(place);
    const joined = this.#places.filter(({ held }) => held).map(({ node }) => node);
    const deadline = Date.now() + FIRST_CONTACT_MS;
    const isFollowed = (node: LyingNode) => node.connections.length > 0;
    while (!joined.every(isFollowed) && Date.now() < deadline) await sleep(100);
  }

  /** Lets everything happen, and at last what brings to light what was lost. */
  async happen(): Promise<void> {
    const steps = this.#random.between(8, 24);
    for (let step = 0; step < steps; step++) {
      await this.#step();
      if (this.#random.chance(0.7)) await this.flush();
      if (this.#random.chance(0.5)) await sleep(this.#random.between(0, 300));
    }
    this.#isOver = true;
    for (const mishaps of this.#mishaps.values()) mishaps.calm();
    for (const place of this.#places) {
      if (this.#isLossy && place.hasBegun && !place.held) await this.#changeMembership(place);
      if (place.held) await this.#write(place, 'create');
    }
    // What a last lie does is not made good by a commit that follows.
    for (const place of [...this.#places, ...this.#places]) {
      if (place.held) await this.#lieInCommit(place);
    }
    this.#isDone = true;
  }

  /** Has the nodes send what they have, and now and then where they are. */
  async flush(): Promise<void> {
    const isDue = performance.now() - this.#beatAt > BEAT_MS;
    if (isDue) this.#beatAt = performance.now();
    for (const node of this.nodes) {
      node.beats = isDue;
      await node.flush();
    }
  }

  get positions(): Map<string, number> {
    return new Map(this.nodes.map((node) => [node.did, node.position]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }

  async #step(): Promise<void> {
    const place = this.#random.oneOf(this.#places);
    const roll = this.#random.next();
    if (!place.held) return roll < 0.7 ? this.#join(place) : this.#publicly(place);
    if (roll < 0.45)
      return this.#write(place, this.#random.oneOf(['create', 'create', 'update', 'delete']));
    if (roll < 0.55) return this.#changeMembership(place);
    if (roll < 0.62) return this.#leave(place);
    if (roll < 0.72) return this.#publicly(place);
    return this.#lie(place);
  }

  async #join(place: Place): Promise<void> {
    const steps = [() => this.#enroll(place), () => this.#changeMembership(place)];
    if (this.#random.chance(0.5)) steps.reverse();
    for (const step of steps) await step();
    if (place.hasBegun) return;
    if (this.#random.chance(0.2)) await this.#lieBefore(place);
    place.node.commit(await place.author.genesis());
    place.node.repos.set(place.person.did, () => this.#carOf(place));
    place.hasBegun = true;
  }

  /** The repo, or once something else. */
  async #carOf(place: Place): Promise<Uint8Array> {
    const kind = this.#aside.oneOf(['honest', ...Object.keys(REPO_LIES)]);
    const isOld = kind === 'of before';
    const mayLie = place.mayLie && (!isOld || !this.#isOver || this.#isDone);
    const lie = mayLie ? REPO_LIES[kind] : undefined;
    this.#tally.add(`repo: ${lie ? kind : 'honest'}`);
    if (!lie) return place.author.car();
    place.mayLie = false;
    // That it is old is brought to light by what comes later alone.
    if (isOld && this.#isDone && place.held) await this.#write(place, 'create');
    return lie(place);
  }

  async #changeMembership(place: Place): Promise<void> {
    const { person, node, author } = place;
    const held = this.#random.someOf(NAMES, this.#random.between(1, NAMES.length));
    await node.membership(author, held);
    place.held = held;
    const boundaries = held.map((name) => node.boundary(name));
    const signingKey = author.key.did();
    this.model.setMembership(person.did, node.did, { active: true, boundaries, signingKey });
    this.#tally.add('membership');
  }

  async #leave(place: Place): Promise<void> {
    const { person, node, author } = place;
    await node.membership(author, [], { active: false });
    place.held = undefined;
    const signingKey = author.key.did();
    this.model.setMembership(person.did, node.did, { active: false, boundaries: [], signingKey });
    this.#tally.add('leaving');
  }

  async #write(place: Place, wish: 'create' | 'update' | 'delete'): Promise<void> {
    const { person, node, author, posts, held = [] } = place;
    const action = posts.size === 0 ? 'create' : wish;
    const rkey = action === 'create' ? this.#newKey() : this.#random.oneOf([...posts.keys()]);
    const uri = author.uri(rkey);
    if (action === 'delete') {
      node.commit(await author.commit([remove(rkey)]));
      posts.delete(rkey);
      this.model.delete(person.did, node.did, uri);
    } else {
      const own = this.#random.someOf(held, this.#random.between(1, held.length));
      const honest = {
        text: `${rkey} ${this.#random.next()}`,
        boundaries: own.map((name) => node.boundary(name)),
      };
      const flaw = this.#random.chance(0.15) ? this.#random.oneOf(FLAWS) : undefined;
      if (flaw) this.#tally.add(flaw);
      const { text, boundaries } = flaw ? flawed(honest, flaw, node) : honest;
      const write = action === 'create' ? create : update;
      const commit = await author.commit([write(rkey, boundaries, text)]);
      const cid = String(commit.ops[0]?.cid);
      posts.set(rkey, cid);
      this.model.write(person.did, node.did, uri, {
        cid,
        boundaries: flaw === 'what is no post' ? [] : boundaries,
      });
      const isKeptBack = this.#isLossy && !this.#isOver && this.#random.chance(0.1);
      if (isKeptBack) this.#tally.add('a commit kept back');
      else node.commit(commit);
    }
    this.#tally.add(action);
  }

  /** Something on the PDS. */
  async #publicly(place: Place): Promise<void> {
    const { person, node, posts } = place;
    const { isActive } = person;
    if (!isActive || this.#random.chance(0.2)) {
      await person.setActive(!isActive);
      if (this.#known.has(person)) this.model.setAccount(person.did, !isActive);
      this.#tally.add(isActive ? 'account put aside' : 'account taken up');
      return;
    }
    if (this.#enrolled.has(place) && this.#random.chance(0.3)) {
      await person.unenroll(node);
      this.#enrolled.delete(place);
      this.model.setEnrollment(person.did, node.did, undefined);
      this.#tally.add('enrollment record deleted');
      return;
    }
    if (!this.#enrolled.has(place)) return this.#enroll(place);
    const [rkey, cid] = this.#random.oneOf([...posts, ['', '']]);
    if (rkey && cid) await this.#stub(place, rkey, cid);
  }

  async #stub({ person, node }: Place, rkey: string, cid: string): Promise<void> {
    const uri = `at://${person.did}/zone.stratos.feed.post/${rkey}`;
    if (this.#random.chance(0.5)) {
      await person.putStub(node, rkey, cid);
      await person.deleteStub(rkey);
      this.model.setStub(person.did, uri, undefined);
      this.#tally.add('stub deleted');
    } else {
      await person.putStub(node, rkey, cid);
      this.model.setStub(person.did, uri, cid);
      this.#tally.add('stub');
    }
  }

  /** With another key now and then, which is as good as none. */
  async #enroll(place: Place): Promise<void> {
    const { person, node, author } = place;
    if (!person.isActive) return;
    const isOther = this.#random.chance(0.05);
    const { key } = isOther ? await Author.create(person.did) : author;
    await person.enroll(node, [node.boundary('art')], key.did());
    if (!this.#known.has(person)) this.model.setAccount(person.did, true);
    this.#known.add(person);
    this.#enrolled.add(place);
    this.model.setEnrollment(person.did, node.did, key.did());
    this.#tally.add(isOther ? 'enrollment with another key' : 'enrollment');
  }

  /** Of somebody of whom nothing is known yet, anything might be a first commit. */
  async #lieBefore({ node, author }: Place): Promise<void> {
    const kind = 'a repo of the year 2100';
    this.#tally.add(`commit: ${kind}`);
    await COMMIT_LIES[kind]?.({
      node,
      author,
      rkey: this.#newKey(),
      boundary: node.boundary('art'),
    });
  }

  async #lie(place: Place): Promise<void> {
    const { node } = place;
    if (this.#random.chance(0.6)) await this.#lieInCommit(place);
    else this.#lieInFrame(place);
    if (this.#isLossy && this.#random.chance(0.1)) {
      node.floor = node.position;
      this.#tally.add('events no longer kept');
    }
  }

  async #lieInCommit(place: Place): Promise<void> {
    const kind = this.#random.oneOf(Object.keys(COMMIT_LIES));
    this.#tally.add(`commit: ${kind}`);
    await COMMIT_LIES[kind]?.(this.#liarOf(place));
  }

  #lieInFrame(place: Place): void {
    const kind = this.#random.oneOf(Object.keys(FRAME_LIES));
    const liar = this.#liarOf(place);
    const lie = FRAME_LIES[kind];
    if (!lie) return;
    this.#mishaps.get(place.node)?.lies.push(() => {
      this.#tally.add(`frame: ${kind}`);
      return lie(liar);
    });
  }

  #liarOf({ node, author, held = [] }: Place): Liar {
    const boundary = node.boundary(this.#random.oneOf(held));
    return { node, author, rkey: this.#newKey(), boundary };
  }

  #newKey(): string {
    const digits = String(this.#records++).padStart(11, '0');
    return `3k${digits.replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`;
  }
}
