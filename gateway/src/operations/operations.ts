import type { PrismaClient } from '@stratos/prisma';
import type { Boundary, Did } from '@stratos/protocol';
import {
  ApiError,
  type AuthorFeedInput,
  DEFAULT_PAGE_SIZE,
  isActor,
  MAX_PAGE_SIZE,
  type Operations,
  type PageInput,
  type VisiblePostPage,
} from '@stratos/schema';
import { revealViewer } from '../access/reveal.ts';
import { readFor, type Scope, type ScopedRead } from '../access/scope.ts';
import { actorDid } from '../feeds/actor.ts';
import { authorFeedSkeleton } from '../feeds/author-feed.ts';
import type { Cursors } from '../feeds/cursors.ts';
import { type PostQuery, postSkeleton } from '../feeds/post.ts';
import type { Candidate, Slice, Transaction } from '../feeds/skeleton.ts';
import { timelineSkeleton } from '../feeds/timeline.ts';
import { createAuthorLoader } from '../hydration/authors.ts';
import { createPostHydrator, type HydrationCounter, readPosts } from '../hydration/posts.ts';
import type { Logger } from '../logger.ts';
import { type Found, type Hydration, readPage, revealAll } from './page.ts';

/** Posts that one request may ask for, in all its feeds together. */
export const MAX_POSTS_PER_REQUEST = 500;

export interface OperationsOptions {
  prisma: PrismaClient;
  cursors: Cursors;
  logger: Logger;
  counter: HydrationCounter;
}

interface Feed {
  name: string;
  input: PageInput & { boundary?: Boundary | undefined; actor?: string };
  skeleton: (transaction: Transaction, scope: Scope, slice: Slice) => Promise<Candidate[]>;
}

/** The operations of one viewer, for one request. */
export class ViewerOperations implements Operations {
  readonly #viewer: Did;
  readonly #options: OperationsOptions;
  readonly #read: ScopedRead;
  readonly #hydration: Hydration;
  #postsAskedFor = 0;

  constructor(viewer: Did, options: OperationsOptions) {
    const { prisma, logger, counter } = options;
    this.#viewer = viewer;
    this.#options = options;
    this.#read = readFor(prisma, viewer);
    this.#hydration = {
      hydrate: createPostHydrator(logger, counter),
      authors: createAuthorLoader(prisma),
    };
  }

  async viewer() {
    const [scope, { handle }] = await Promise.all([
      this.#read((_, scope) => Promise.resolve(scope)),
      this.#hydration.authors.load(this.#viewer),
    ]);
    return revealViewer(scope, handle);
  }

  timeline(input: PageInput & { boundary?: Boundary | undefined }): Promise<VisiblePostPage> {
    return this.#feed({
      name: 'timeline',
      input,
      skeleton: (transaction, scope, slice) =>
        timelineSkeleton(transaction, scope, input.boundary, slice),
    });
  }

  async authorFeed(input: AuthorFeedInput): Promise<VisiblePostPage> {
    const { actor, boundary } = input;
    if (!isActor(actor)) throw new ApiError('BAD_USER_INPUT', 'actor must be a DID or a handle');
    return this.#feed({
      name: 'authorFeed',
      input,
      skeleton: async (transaction, scope, slice) => {
        const author = await actorDid(transaction, actor);
        return author ? authorFeedSkeleton(transaction, scope, { author, boundary }, slice) : [];
      },
    });
  }

  post(input: PostQuery) {
    return this.#post(input);
  }

  postAt(input: Required<PostQuery>) {
    return this.#post(input);
  }

  async #post(query: PostQuery) {
    this.#spend(1);
    const found = await this.#find((transaction, scope) => postSkeleton(transaction, scope, query));
    const revealed = await revealAll(this.#hydration, found);
    return revealed.find((post) => post !== undefined)?.post ?? null;
  }

  async #feed({ name, input, skeleton }: Feed): Promise<VisiblePostPage> {
    const { first = DEFAULT_PAGE_SIZE, after, boundary, actor } = input;
    if (!Number.isInteger(first) || first < 1 || first > MAX_PAGE_SIZE) {
      throw new ApiError('BAD_USER_INPUT', `first must be 1 to ${MAX_PAGE_SIZE}`);
    }
    this.#spend(first);
    const { cursors } = this.#options;
    const scope = { viewer: this.#viewer, operation: name, arguments: { boundary, actor } };
    return readPage(
      this.#hydration,
      {
        first,
        after: after === undefined ? undefined : cursors.open(after, scope),
        within: boundary,
      },
      (slice) => this.#find((transaction, found) => skeleton(transaction, found, slice)),
      (position) => cursors.seal(position, scope),
    );
  }

  #find(
    skeleton: (transaction: Transaction, scope: Scope) => Promise<Candidate[]>,
  ): Promise<Found> {
    return this.#read(async (transaction, scope) => ({
      scope,
      posts: await readPosts(transaction, await skeleton(transaction, scope)),
    }));
  }

  #spend(posts: number): void {
    this.#postsAskedFor += posts;
    if (this.#postsAskedFor > MAX_POSTS_PER_REQUEST) {
      const message = `A request may ask for ${MAX_POSTS_PER_REQUEST} posts at most`;
      throw new ApiError('QUERY_TOO_COMPLEX', message);
    }
  }
}
