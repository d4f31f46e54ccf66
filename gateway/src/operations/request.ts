import type { ReadPool } from '@stratos/prisma';
import type { Did } from '@stratos/protocol';
import { readFor, type ScopedRead } from '../access/scope.ts';
import type { Cursors } from '../feeds/cursors.ts';
import { type AuthorLoader, createAuthorLoader } from '../hydration/authors.ts';
import type { NodeRecords } from '../hydration/nodes/node-records.ts';
import type { ProvenRecords } from '../hydration/nodes/proven-records.ts';
import {
  createPostHydrator,
  type HydrationCounter,
  type PostHydrator,
} from '../hydration/posts.ts';
import { type CountLoader, createCountLoader } from '../hydration/reference-counts.ts';
import type { Logger } from '../logger.ts';
import { type AheadLoader, createAheadLoader } from './ahead-loader.ts';
import { PostBudget } from './budget.ts';
import { createMembershipLoader, type MembershipLoader } from './memberships.ts';
import { createPostLoader, type PostLoader } from './post-loader.ts';
import { createProofLoader, type ProofLoader } from './post-proof.ts';
import { ReplyLoaders } from './reply-loaders.ts';
import { createUnavailableLoader, type UnavailableLoader } from './unavailable-loader.ts';

export interface OperationsOptions {
  reads: ReadPool;
  cursors: Cursors;
  logger: Logger;
  counter: HydrationCounter;
  /** Where records are asked for instead of in the database. */
  records?: NodeRecords | undefined;
  /** Where the records of stubs are asked for. */
  ahead: ProvenRecords;
}

/** What completes the posts of one request. */
export interface Hydration {
  hydrate: PostHydrator;
  authors: AuthorLoader;
  unavailable: UnavailableLoader;
}

/** What the operations of one request share. Nothing in it outlives the request, least of all a decision. */
export interface Request extends Hydration {
  viewer: Did;
  read: ScopedRead;
  reads: ReadPool;
  cursors: Cursors;
  budget: PostBudget;
  posts: PostLoader;
  /** Those at addresses of which the index has nothing for the viewer. */
  ahead: AheadLoader;
  replies: ReplyLoaders;
  counts: CountLoader;
  proofs: ProofLoader;
  memberships: MembershipLoader;
}

export function createRequest(
  viewer: Did,
  { reads, cursors, logger, counter, records, ahead }: OperationsOptions,
): Request {
  const read = readFor(reads, viewer);
  const hydration: Hydration = {
    hydrate: createPostHydrator({ logger, counter, records, read }),
    authors: createAuthorLoader(reads),
    unavailable: createUnavailableLoader(read),
  };
  return {
    viewer,
    read,
    reads,
    cursors,
    ...hydration,
    budget: new PostBudget(),
    posts: createPostLoader(read, hydration),
    ahead: createAheadLoader(read, { authors: hydration.authors, records: ahead, logger }),
    replies: new ReplyLoaders(read),
    counts: createCountLoader(read),
    proofs: createProofLoader(read, { authors: hydration.authors, logger }),
    memberships: createMembershipLoader(read),
  };
}
