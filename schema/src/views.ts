import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';

/** A value of JSON, in the form that AT Protocol gives to links and bytes (`$link`, `$bytes`). */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** A person, as others see them. */
export interface ActorView {
  did: Did;
  /** `handle.invalid` while none is verified. */
  handle: string;
}

/** A post as one viewer may see it. Everything in it comes from the signed record. */
export interface PostView {
  uri: AtUri;
  cid: Cid;
  /** The node that holds it: with `uri` it identifies the post. */
  node: Did;
  author: ActorView;
  text: string;
  /** The whole record as it was signed, but for boundaries that the viewer does not share. */
  record: JsonObject;
  createdAt: string;
  indexedAt: string;
  /** Those boundaries of the post that the viewer shares; all of them for the author. */
  boundaries: Boundary[];
  replyRoot: string | null;
  replyParent: string | null;
}

/** Who is asking, and the boundaries that are open to them right now. */
export interface ViewerView extends ActorView {
  boundaries: Boundary[];
}

/** One page of a feed, newest first. It is full, or it is the last. */
export interface PostPage {
  edges: PostEdge[];
  hasNextPage: boolean;
}

export interface PostEdge {
  /** Opaque, good for this viewer and this feed only. */
  readonly cursor: string;
  node: PostView;
}
