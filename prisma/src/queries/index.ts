export { type AncestorsInput, ancestors } from './ancestors.ts';
export { authorFeed, ownPosts } from './author-feed.ts';
export { type BoundaryCount, countPosts } from './count-posts.ts';
export type { FoundPost, Position, ScopedSlice, Slice } from './found-post.ts';
export { homeTimeline } from './home-timeline.ts';
export { boundaryMembers, type OwnMembership, ownMemberships } from './memberships.ts';
export { openScope } from './open-scope.ts';
export { type PostContent, postContents } from './post-contents.ts';
export { ownPostsAt, postsAt } from './posts-at.ts';
export {
  countReferences,
  quotes,
  type ReferenceCounts,
  type ReferenceSlice,
  replies,
} from './references.ts';
export { type FoundWords, searchPosts } from './search-posts.ts';
export type { Transaction } from './transaction.ts';
