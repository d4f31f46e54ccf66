import type { AtUri, Boundary, Did } from '@stratos/protocol';
import type {
  BoundaryView,
  NodeView,
  PostCounts,
  PostProofView,
  PostView,
  ProfileView,
  UnavailablePostView,
  ViewerView,
} from './views.ts';
import type { Visible } from './visible.ts';

/** A page from the beginning of a feed, or after a post in it. */
export interface ForwardPageInput {
  /** 1 to 100, 50 unless given. */
  first?: number | undefined;
  /** Cursor of the edge after which to go on. */
  after?: string | undefined;
}

/** A page from either end of a feed, or beside a post in it. `last` and `before` exclude the others. */
export interface PageInput extends ForwardPageInput {
  /** Posts from the end, or before `before`: 1 to 100. */
  last?: number | undefined;
  /** Cursor of the edge before which to end. Needs `last`. */
  before?: string | undefined;
}

export interface TimelineInput extends PageInput {
  /** Only posts of this boundary. */
  boundary?: Boundary | undefined;
}

export interface AuthorFeedInput extends TimelineInput {
  /** DID or handle. */
  actor: string;
}

export interface SearchInput extends ForwardPageInput {
  /** Words that are all in the post: up to 256 graphemes. */
  text: string;
  /** Only posts of this boundary. */
  boundary?: Boundary | undefined;
}

export interface RepliesInput extends PageInput {
  /** The post that is answered. */
  uri: AtUri;
}

export interface PostInput {
  uri: AtUri;
}

export interface PostAtInput extends PostInput {
  /** The node that holds it. */
  node: Did;
}

export interface PostsInput {
  /** Up to 25. */
  uris: AtUri[];
}

export interface ThreadInput extends PostInput {
  /** Posts above it at most: 0 to 10, 10 unless given. */
  height?: number | undefined;
  /** Levels of replies: 0 to 10, 3 unless given. */
  depth?: number | undefined;
  /** Replies to each post: 1 to 100, 10 unless given. */
  limit?: number | undefined;
}

export interface VisiblePostEdge {
  /** Opaque, good for this viewer and this feed only. */
  readonly cursor: string;
  node: Visible<PostView>;
}

/** One page of a feed. With what is unavailable it is full, or it is the last in its direction. */
export interface VisiblePostPage {
  edges: VisiblePostEdge[];
  /** Posts that have their place between the edges, or beside them, and cannot be had at the moment. */
  unavailable: Visible<UnavailablePostView>[];
  /** Cursor of the first post of the page, and of the last, available or not; null when there is none. */
  readonly startCursor: string | null;
  readonly endCursor: string | null;
  /** Whether the feed has a visible post after the page. */
  hasNextPage(): Promise<boolean>;
  /** Whether the feed has a visible post before the page. */
  hasPreviousPage(): Promise<boolean>;
}

/** A post and its place in a conversation. */
export interface VisibleThread extends VisibleReply {
  /** What it answers, what that answers, and so on; the uppermost first. Ends where nothing is to be seen. */
  ancestors: Visible<PostView>[];
}

/** A post in a thread, with a page of what answers it. */
export interface VisibleReply {
  post: Visible<PostView>;
  /** Oldest first; null where the thread goes no deeper. */
  replies: { page: VisiblePostPage; posts: VisibleReply[] } | null;
}

/**
 * What the API can do, for one viewer and one request. GraphQL, tRPC and XRPC are three doors into
 * it. What the viewer may not see and what does not exist are answered alike.
 */
export interface Operations {
  viewer(): Promise<Visible<ViewerView>>;
  /** Posts of all boundaries that the viewer is a member of, newest first. */
  timeline(input: TimelineInput): Promise<VisiblePostPage>;
  /** Posts of one author, in boundaries that the viewer shares; all of the viewer's own. Newest first. */
  authorFeed(input: AuthorFeedInput): Promise<VisiblePostPage>;
  /** Posts that have all words of a text, newest first. Forward only. */
  search(input: SearchInput): Promise<VisiblePostPage>;
  /** The post at an address: of several nodes', the one that the author's PDS names. */
  post(input: PostInput): Promise<Visible<PostView> | null>;
  /** The post that one node holds at an address. */
  postAt(input: PostAtInput): Promise<Visible<PostView> | null>;
  /** The posts at some addresses, in their order, null in the place of each that is not there. */
  posts(input: PostsInput): Promise<(Visible<PostView> | null)[]>;
  /** Those of the addresses for which `posts` has null only because no node that holds the post answers. */
  unavailablePosts(input: PostsInput): Promise<Visible<UnavailablePostView>[]>;
  /** A post with what it answers and what answers it. */
  thread(input: ThreadInput): Promise<VisibleThread | null>;
  /** Direct replies to a post, oldest first. */
  replies(input: RepliesInput): Promise<VisiblePostPage>;
  /** The post that a post quotes. */
  quoted(post: Visible<PostView>): Promise<Visible<PostView> | null>;
  /** How many posts answer and quote a post, in the boundaries that are open to the viewer. */
  counts(post: Visible<PostView>): Promise<PostCounts>;
  /**
   * What shows that a post is what its author signed. The signed record names all its boundaries: null for anybody
   * but its author who does not share every one of them.
   */
  postProof(post: Visible<PostView>): Promise<Visible<PostProofView> | null>;
  /** Somebody by DID or handle, if the viewer is them or may see a post of theirs. */
  actor(input: { actor: string }): Promise<Visible<ProfileView> | null>;
  /** A boundary that the viewer is a member of. */
  boundary(input: { boundary: Boundary }): Promise<Visible<BoundaryView> | null>;
  /** All boundaries that the viewer is a member of, in order. */
  boundaries(): Promise<Visible<BoundaryView>[]>;
  /** A node that the viewer is or was enrolled with. */
  node(input: { did: Did }): Promise<Visible<NodeView> | null>;
}
