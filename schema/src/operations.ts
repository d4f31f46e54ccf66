import type { AtUri, Boundary, Did } from '@stratos/protocol';
import type { PostEdge, PostPage, PostView, ViewerView } from './views.ts';
import type { Visible } from './visible.ts';

/** Posts in a page unless the caller says otherwise. */
export const DEFAULT_PAGE_SIZE = 50;
/** Posts in a page at most. */
export const MAX_PAGE_SIZE = 100;

export interface PageInput {
  /** 1 to {@link MAX_PAGE_SIZE}, {@link DEFAULT_PAGE_SIZE} unless given. */
  first?: number | undefined;
  /** Cursor of the edge after which to go on. */
  after?: string | undefined;
}

export interface TimelineInput extends PageInput {
  /** Only posts of this boundary. */
  boundary?: Boundary | undefined;
}

export interface AuthorFeedInput extends TimelineInput {
  /** DID or handle. */
  actor: string;
}

export interface PostInput {
  uri: AtUri;
}

export interface PostAtInput extends PostInput {
  /** The node that holds it. */
  node: Did;
}

export interface VisiblePostEdge extends PostEdge {
  node: Visible<PostView>;
}

export interface VisiblePostPage extends PostPage {
  edges: VisiblePostEdge[];
}

/**
 * What the API can do, for one viewer and one request. GraphQL, tRPC and XRPC are three doors into
 * it. What the viewer may not see and what does not exist are answered alike.
 */
export interface Operations {
  viewer(): Promise<Visible<ViewerView>>;
  /** Posts of all boundaries that the viewer is a member of. */
  timeline(input: TimelineInput): Promise<VisiblePostPage>;
  /** Posts of one author, in boundaries that the viewer shares; all of the viewer's own. */
  authorFeed(input: AuthorFeedInput): Promise<VisiblePostPage>;
  /** The post at an address: of several nodes', the one that the author's PDS names. */
  post(input: PostInput): Promise<Visible<PostView> | null>;
  /** The post that one node holds at an address. */
  postAt(input: PostAtInput): Promise<Visible<PostView> | null>;
}
