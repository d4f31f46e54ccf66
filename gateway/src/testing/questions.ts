/** What can be asked, whichever door it goes through. */
export type Question =
  | { operation: 'viewer' | 'boundaries' }
  | ({ operation: 'timeline' } & FeedArguments)
  | ({ operation: 'authorFeed'; actor: string } & FeedArguments)
  | ({ operation: 'search'; text: string } & FeedArguments)
  | ({ operation: 'replies'; uri: string } & PageArguments)
  | { operation: 'post'; uri: string }
  | { operation: 'postProof'; uri: string }
  | { operation: 'posts'; uris: string[] }
  | { operation: 'thread'; uri: string; limit?: number | undefined }
  | { operation: 'actor'; actor: string }
  | { operation: 'boundary'; boundary: string }
  | { operation: 'node'; did: string };

export interface PageArguments {
  limit?: number | undefined;
  cursor?: string | undefined;
  direction?: 'forward' | 'backward' | undefined;
}

export interface FeedArguments extends PageArguments {
  boundary?: string | undefined;
}

/** Levels of replies that a thread is asked for. */
export const DEPTH = 2;

/** Whether the answer is of posts, whose replies and quotes can be counted. */
export function hasPosts(operation: Question['operation']): boolean {
  const others = ['viewer', 'boundaries', 'boundary', 'actor', 'node', 'postProof'];
  return !others.includes(operation);
}

/** What all three surfaces say of a post. */
export interface SeenPost {
  uri: string;
  cid: string;
  author: { did: string; handle: string };
  record: unknown;
  indexedAt: string;
  boundaries: string[];
  facets: unknown[];
  images: unknown[];
  external: unknown;
  quote: SeenPost | null;
  replyCount: number | null;
  quoteCount: number | null;
}

/** What all three surfaces say of a proof, and its bytes in the base64 of that surface. */
export interface SeenProof {
  uri: string;
  cid: string;
  node: string;
  membership: unknown;
  stubCid: string | null;
}

export interface SeenPage {
  posts: SeenPost[];
  /** Those whose nodes do not answer. */
  unavailable: SeenUnavailable[];
  /** Where it goes on in the direction that was asked for; undefined at the end. */
  cursor: string | undefined;
}

/** What all three surfaces say of a post whose node does not answer. */
export interface SeenUnavailable {
  uri: string;
  node: string;
}

export interface SeenReply {
  post: SeenPost;
  replies: { posts: SeenReply[]; hasMore: boolean } | null;
}

export interface SeenThread extends SeenReply {
  ancestors: SeenPost[];
}
