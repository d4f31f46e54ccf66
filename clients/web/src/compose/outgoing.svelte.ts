import { StratosError } from '@stratos/client';
import type { SignedIn } from '../account/signed-in.svelte.ts';
import type { LiveEvent } from '../feed/live.svelte.ts';
import { type Draft, write } from './write.ts';

/** Milliseconds in which what was posted can be taken back, before anybody can have seen it. */
export const HOLD_MS = 5_000;

/** A post on its way. */
export class OutgoingPost {
  readonly id = crypto.randomUUID();
  readonly draft: Draft;
  state = $state<'held' | 'sending' | 'sent' | 'failed'>('held');
  problem = $state<string>();
  /** Once it is written. */
  uri: string | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(draft: Draft) {
    this.draft = draft;
  }
}

/** Posts that are shown before they are written, and until the gateway tells of them. */
export class Outgoing {
  posts = $state.raw<readonly OutgoingPost[]>([]);
  readonly #person: SignedIn;
  readonly #told = new Set<string>();

  constructor(person: SignedIn) {
    this.#person = person;
    person.live.listen((event) => this.#take(event));
  }

  /** Whether something would be lost with the page. */
  get isBusy(): boolean {
    return this.posts.some(({ state }) => state === 'held' || state === 'sending');
  }

  add(draft: Draft): void {
    const post = new OutgoingPost(draft);
    this.posts = [post, ...this.posts];
    post.timer = setTimeout(() => this.send(post), HOLD_MS);
  }

  /** Takes a post back that is not sent; its draft can be gone on with. */
  undo(post: OutgoingPost): Draft {
    clearTimeout(post.timer);
    this.#drop(post);
    return post.draft;
  }

  async send(post: OutgoingPost): Promise<void> {
    clearTimeout(post.timer);
    post.state = 'sending';
    try {
      const { uri } = await write(this.#person, post.draft);
      post.uri = uri;
      post.state = 'sent';
      if (this.#told.has(uri)) this.#drop(post);
    } catch (error) {
      post.problem = problemOf(error);
      post.state = 'failed';
    }
  }

  /** Sends at once what is held. */
  async settle(): Promise<void> {
    const held = this.posts.filter(({ state }) => state === 'held');
    await Promise.all(held.map((post) => this.send(post)));
  }

  #take(event: LiveEvent): void {
    if (event.type !== 'post' || event.post.author.did !== this.#person.did) return;
    this.#told.add(event.post.uri);
    const arrived = this.posts.find(({ uri }) => uri === event.post.uri);
    if (arrived) this.#drop(arrived);
  }

  #drop(post: OutgoingPost): void {
    this.posts = this.posts.filter((each) => each !== post);
    for (const { url } of post.state === 'held' ? [] : post.draft.pictures)
      URL.revokeObjectURL(url);
  }
}

const PROBLEMS: Record<string, string> = {
  ForbiddenBoundary: 'You are not a member of that community any more.',
  NotEnrolled: 'You are not enrolled with that node any more.',
  InvalidMimeType: 'The node does not take this kind of picture.',
  RateLimitExceeded: 'That was a lot in a short time. Wait a moment.',
  InvalidSwap: 'It was changed elsewhere meanwhile.',
  Unreachable: 'The node cannot be reached.',
  TimedOut: 'The node did not answer in time.',
};

/** Why writing did not work, for the person to read. */
export function problemOf(error: unknown): string {
  const known = error instanceof StratosError ? PROBLEMS[error.code] : undefined;
  return known ?? (error instanceof Error ? error.message : 'Something unexpected happened.');
}
