import type { LiveEvent } from './live.svelte.ts';
import { keyOf, type Post, type PostsPage } from './posts.ts';
import { remaining } from './remaining.ts';

export interface FeedOptions {
  /** Reads a page; the first without a cursor. */
  read: (cursor: string | undefined) => Promise<PostsPage>;
  /** Which of the posts that come live belong here. */
  accepts: (post: Post) => boolean;
  /** The person, whose own posts need no announcement. */
  viewer: string;
  /** Settles when what happens from now on is told. */
  opened: Promise<void>;
}

/** Posts, newest first, which are read page by page and kept right as things happen. */
export class Feed {
  posts = $state.raw<readonly Post[]>([]);
  /** Those that came since, until the person wants to see them. */
  news = $state.raw<readonly Post[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  /** Whether there is no older post. */
  isWhole = $state(false);
  isReadingMore = $state(false);
  readonly #options: FeedOptions;
  #cursor: string | undefined;
  #reads = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Reads the first page, in place of what is shown. */
  async load(): Promise<void> {
    const read = ++this.#reads;
    if (this.posts.length === 0) this.status = 'loading';
    try {
      await this.#options.opened;
      const page = await this.#options.read(undefined);
      if (read !== this.#reads) return;
      this.posts = page.posts;
      this.news = [];
      this.#end(page);
      this.status = 'ready';
    } catch {
      if (read === this.#reads) this.status = this.posts.length > 0 ? 'ready' : 'failed';
    }
  }

  /** Reads the next page behind what is shown. Throws what reading throws. */
  async more(): Promise<void> {
    if (this.isWhole || this.isReadingMore || this.status !== 'ready') return;
    const read = this.#reads;
    this.isReadingMore = true;
    try {
      const page = await this.#options.read(this.#cursor);
      if (read !== this.#reads) return;
      const known = new Set(this.posts.map(keyOf));
      this.posts = [...this.posts, ...page.posts.filter((post) => !known.has(keyOf(post)))];
      this.#end(page);
    } finally {
      this.isReadingMore = false;
    }
  }

  showNews(): void {
    this.posts = [...this.news, ...this.posts];
    this.news = [];
  }

  take(event: LiveEvent): void {
    this.#keep((post) => remaining(post, event));
    if (event.type === 'post') this.#put(event.post);
    if (event.type === 'boundaryOpened' || event.type === 'reset') this.load();
  }

  #put(post: Post): void {
    const key = keyOf(post);
    const oldest = this.posts.at(-1);
    if (!this.#options.accepts(post)) {
      this.#keep((each) => (keyOf(each) === key ? undefined : each));
    } else if ([...this.posts, ...this.news].some((each) => keyOf(each) === key)) {
      this.#keep((each) => (keyOf(each) === key ? { ...each, ...post } : each));
    } else if (!this.isWhole && oldest && post.createdAt < oldest.createdAt) {
      // It comes with its page.
    } else if (post.author.did === this.#options.viewer) {
      this.posts = [post, ...this.posts];
    } else {
      this.news = [post, ...this.news];
    }
  }

  #keep(change: (post: Post) => Post | undefined): void {
    const changed = (posts: readonly Post[]) => posts.flatMap((post) => change(post) ?? []);
    this.posts = changed(this.posts);
    this.news = changed(this.news);
  }

  #end({ cursor }: PostsPage): void {
    this.#cursor = cursor ?? undefined;
    this.isWhole = cursor === null;
  }
}
