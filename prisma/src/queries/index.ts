export { type AncestorsInput, ancestors } from './ancestors.ts';
export { authorFeed, ownPosts } from './author-feed.ts';
export { changesAfter, type ReaderChange } from './changes-after.ts';
export {
  type AuthorCount,
  type BoundaryCount,
  countAuthorPosts,
  countPosts,
} from './count-posts.ts';
export type { FoundPost, Position, ScopedSlice, Slice } from './found-post.ts';
export { type AuthorRow, homeTimeline, type Timeline, type TimelinePost } from './home-timeline.ts';
export { boundaryMembers, type OwnMembership, ownMemberships } from './memberships.ts';
export { type NodeLease, nodeLeases } from './node-leases.ts';
export { openScope } from './open-scope.ts';
export { type PostContent, type PostVersion, postContents } from './post-contents.ts';
export { postProofs, type StoredProof } from './post-proofs.ts';
export { ownPostsAt, postsAt } from './posts-at.ts';
export { type ReadablePost, readablePosts } from './readable-posts.ts';
export {
  countReferences,
  type FoundReference,
  quotes,
  type ReferenceCounts,
  type ReferenceSlice,
  replies,
} from './references.ts';
export { type FoundWords, searchPosts } from './search-posts.ts';
export {
  countingRecords,
  type ProvenRecord,
  type StubAhead,
  stubsAhead,
} from './stubs-ahead.ts';
export type { Transaction } from './transaction.ts';
