import type { AtUri, Boundary, Cid, Did, DidKey } from '@stratos/protocol';

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
  facets: FacetView[];
  images: ImageView[];
  external: ExternalView | null;
  /** The whole record as it was signed, but for boundaries that the viewer does not share. */
  record: JsonObject;
  createdAt: string;
  indexedAt: string;
  /** Those boundaries of the post that the viewer shares; all of them for the author. */
  boundaries: Boundary[];
  replyRoot: string | null;
  replyParent: string | null;
}

/** A post that the viewer may see, and that cannot be had: no node that holds it answers at the moment. */
export interface UnavailablePostView {
  uri: AtUri;
  /** The node that was asked. */
  node: Did;
}

/** A part of a text that stands for something. The facets of a text are in order and do not overlap. */
export interface FacetView {
  /** Where it begins in the UTF-8 of the text. */
  byteStart: number;
  /** Where it ends, exclusive. */
  byteEnd: number;
  /** Who is mentioned. */
  mention: Did | null;
  /** An http or https URL. */
  link: string | null;
  /** A hashtag, without the `#`. */
  tag: string | null;
}

/** A file of a post. */
export interface BlobView {
  cid: Cid;
  mimeType: string;
  /** Bytes. */
  size: number;
  /** Where the gateway serves it to who may read the post: below the gateway's own address. */
  path: string;
}

export interface ImageView extends BlobView {
  /** What is to be seen, in words. May be empty. */
  alt: string;
  aspectRatio: AspectRatio | null;
}

export interface AspectRatio {
  width: number;
  height: number;
}

/** A page elsewhere that a post points to. */
export interface ExternalView {
  /** An http or https URL. */
  uri: string;
  title: string;
  description: string;
  thumb: BlobView | null;
}

/** How many posts that the viewer may see answer and quote one, each counted up to {@link MOST_COUNTED}. */
export interface PostCounts {
  replyCount: number;
  quoteCount: number;
}

/** Counting stops here: this many stand for as many or more. */
export const MOST_COUNTED = 100;

/**
 * What shows that a post is what its author signed, for whoever trusts nobody but the DID document of the node.
 * Bytes are base64.
 */
export interface PostProofView {
  uri: AtUri;
  cid: Cid;
  node: Did;
  /** The record as it was signed, with all its boundaries: DAG-CBOR. */
  record: string;
  /**
   * A CAR of the signed commit that has the record, and of the nodes of the tree on the way to it. It shows keys
   * and CIDs of records beside that way, and nothing that is in them.
   */
  commit: string;
  /** The author's key at the node. */
  signingKey: DidKey;
  /**
   * What the node states about the author, signed by it: DAG-CBOR of a `zone.stratos.membership.defs#entry`. It
   * names all boundaries of the author at the node; null when the viewer does not share all of them, or the node
   * keeps no log.
   */
  membership: string | null;
  /** The CID that the stub on the author's PDS names; null when there is none. */
  stubCid: Cid | null;
}

/** Who is asking, and the boundaries that are open to them right now. */
export interface ViewerView extends ActorView {
  boundaries: Boundary[];
}

/** Somebody in whose company the viewer reads. */
export interface ProfileView extends ActorView {
  /** Boundaries of the viewer in which there are posts of theirs; all of the viewer's own for themselves. */
  boundaries: SharedBoundaryView[];
}

export interface SharedBoundaryView {
  boundary: Boundary;
  /** Posts of the actor in it, counted up to {@link MOST_COUNTED}. */
  postCount: number;
}

/** A boundary that the viewer is a member of. */
export interface BoundaryView {
  uri: Boundary;
  /** What the operator of the node calls it. */
  name: string;
  /** The node that it belongs to. */
  node: Did;
  /** Whether it is open right now: false while its node cannot be heard. */
  isOpen: boolean;
  /** When the node last said who the viewer is to it. */
  statedAt: string;
}

/** A node that the viewer is or was enrolled with. */
export interface NodeView {
  did: Did;
  /** Where it is reached. */
  endpoint: string;
  /** Whether it can be heard: its boundaries are closed while it cannot. */
  isHeard: boolean;
  /** Whether the viewer is enrolled now. */
  isEnrolled: boolean;
  /** When it last said so. */
  statedAt: string;
  /** Those that the viewer is a member of. */
  boundaries: Boundary[];
}
