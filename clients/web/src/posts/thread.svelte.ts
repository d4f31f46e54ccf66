import type { StratosClient } from '@stratos/client-trpc';
import type { SignedIn } from '../account/signed-in.svelte.ts';
import type { LiveEvent } from '../feed/live.svelte.ts';
import type { Post } from '../feed/posts.ts';
import { remaining } from '../feed/remaining.ts';

type Tree = NonNullable<Awaited<ReturnType<StratosClient['thread']['query']>>>;
type Replies = Tree['replies'];

/** A post of a conversation and where it stands: above (below 0), the post itself (0), or how deep below. */
export interface Row {
  post: Post;
  depth: number;
  /** Whether there are more replies to it than are shown. */
  hasMore: boolean;
}

const HEIGHT = 10;
const DEPTH = 3;
const REPLIES = 30;
/** Milliseconds in which several events are answered by reading once. */
const GATHER_MS = 150;

/** A conversation around one post. */
export class Thread {
  rows = $state.raw<readonly Row[]>([]);
  status = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading');
  readonly #uri: string;
  readonly #person: SignedIn;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(uri: string, person: SignedIn) {
    this.#uri = uri;
    this.#person = person;
  }

  /** Keeps it right. Answers what ends it. */
  follow(): () => void {
    this.load();
    const stop = this.#person.live.listen((event) => this.#take(event));
    return () => {
      stop();
      clearTimeout(this.#timer);
    };
  }

  async load(): Promise<void> {
    const { stratos } = this.#person;
    try {
      const input = { uri: this.#uri, height: HEIGHT, depth: DEPTH, limit: REPLIES, counts: true };
      const tree = await stratos.thread.query(input);
      this.rows = tree ? rowsOf(tree) : [];
      this.status = tree ? 'ready' : 'missing';
    } catch {
      if (this.rows.length === 0) this.status = 'failed';
    }
  }

  #take(event: LiveEvent): void {
    this.rows = this.rows.flatMap((row) => {
      const post = remaining(row.post, event);
      return post ? { ...row, post } : [];
    });
    const isHere = this.rows.some(({ depth }) => depth === 0);
    if (this.status === 'ready' && !isHere) this.status = 'missing';
    if (event.type !== 'post' || this.#concerns(event.post)) this.#loadSoon();
  }

  #concerns({ uri, replyParent }: Pick<Post, 'uri' | 'replyParent'>): boolean {
    const known = new Set<string | null>([this.#uri, ...this.rows.map(({ post }) => post.uri)]);
    return known.has(uri) || known.has(replyParent);
  }

  #loadSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load(), GATHER_MS);
  }
}

export function rowsOf({ ancestors, post, replies }: Tree): Row[] {
  const above = ancestors.map((each, index) => ({
    post: each,
    depth: index - ancestors.length,
    hasMore: false,
  }));
  return [...above, ...below(post, replies, 0)];
}

function below(post: Post, replies: Replies, depth: number): Row[] {
  const isLast = replies === null && (post.replyCount ?? 0) > 0;
  const row = { post, depth, hasMore: isLast || Boolean(replies?.cursor) };
  const answers = replies?.posts ?? [];
  return [row, ...answers.flatMap((reply) => below(reply.post, reply.replies, depth + 1))];
}
