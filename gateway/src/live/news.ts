import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { isAuthor } from '../access/reveal.ts';
import { type Notice, revealNotice, revealRemoved, revealShown } from '../access/reveal-event.ts';
import type { Author } from '../hydration/authors.ts';
import type { HydratedPost } from '../hydration/posts.ts';
import type { LiveScope } from './live-scope.ts';
import { SharedEvent } from './shared-event.ts';

/** Who listens, and to what. */
export interface Listener {
  scope: LiveScope;
  /** Only to posts of this boundary. */
  within: Boundary | undefined;
}

/** Something to be told. */
export interface News {
  /** Its place among the changes. */
  readonly seq: bigint;
  /** About how many bytes it has. */
  readonly size: number;
  /** What a listener is told of it, by what is open to them at the moment of the call. */
  eventFor(listener: Listener): SharedEvent | undefined;
}

/** A post that somebody reads, as of one moment. */
export interface ReadPost {
  post: HydratedPost;
  author: Author;
  /** Where it is to be read. */
  readers: readonly Boundary[];
  /** Bytes of its record. */
  size: number;
}

export interface PostNewsOptions {
  seq: bigint;
  uri: AtUri;
  node: Did;
  /** Undefined when it is not there, or not what it should be. */
  found: ReadPost | undefined;
  /** Where it is not to be read any more. */
  goneFrom: readonly Boundary[];
}

/**
 * News of one post. It is decided, revealed and written down once for each audience: all those to whom the
 * same of its boundaries are open.
 */
export class PostNews implements News {
  readonly seq: bigint;
  readonly size: number;
  readonly #options: PostNewsOptions;
  readonly #shown = new Map<string, SharedEvent | undefined>();
  #removed: SharedEvent | undefined;

  constructor(options: PostNewsOptions) {
    this.seq = options.seq;
    this.size = 500 + (options.found?.size ?? 0);
    this.#options = options;
  }

  /** All boundaries whose readers it concerns. */
  get boundaries(): Boundary[] {
    const { found, goneFrom } = this.#options;
    return [...(found?.readers ?? []), ...goneFrom];
  }

  eventFor({ scope, within }: Listener): SharedEvent | undefined {
    const { found, goneFrom, uri, node } = this.#options;
    const shared = found?.readers.filter((boundary) => scope.boundaries.has(boundary)) ?? [];
    const isShown = within ? shared.includes(within) : shared.length > 0;
    const shown = found && isShown ? this.#shownTo(scope, found, shared) : undefined;
    if (shown) return shown;
    const removed = revealRemoved(
      (boundary) => scope.boundaries.has(boundary) && (!within || boundary === within),
      goneFrom,
      { uri, node },
    );
    if (removed) this.#removed ??= new SharedEvent(removed);
    return removed && this.#removed;
  }

  #shownTo(
    scope: LiveScope,
    { post, author }: ReadPost,
    shared: Boundary[],
  ): SharedEvent | undefined {
    const audience = isAuthor(scope, post.uri) ? 'author' : shared.join(' ');
    const known = this.#shown.get(audience);
    if (known || this.#shown.has(audience)) return known;
    const event = revealShown({ viewer: scope.viewer, boundaries: new Set(shared) }, post, author);
    const made = event && new SharedEvent(event);
    this.#shown.set(audience, made);
    return made;
  }
}

/** News of a stream or of boundaries, for those alone to whom it is given. */
export class NoticeNews implements News {
  readonly seq: bigint;
  readonly size = 200;
  readonly #event: SharedEvent;

  constructor(seq: bigint, notice: Notice) {
    this.seq = seq;
    this.#event = new SharedEvent(revealNotice(notice));
  }

  eventFor(): SharedEvent {
    return this.#event;
  }
}
