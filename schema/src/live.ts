import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { unauthenticated } from './errors.ts';
import type { PostView } from './views.ts';
import type { Visible } from './visible.ts';

/** Why a stream was closed. Stable: clients may switch on it. */
export const CLOSE_REASONS = {
  reconnect: 'The server goes away: subscribe again with the cursor of this event.',
  sessionExpired: 'The session is over: get a new one, and subscribe again with this cursor.',
  accessLost: 'Nothing is left that the viewer may read here.',
  tooSlow: 'Events were not taken in time: read the page anew, and subscribe again.',
} as const;

export type CloseReason = keyof typeof CLOSE_REASONS;

/** Something that happened to the posts that a viewer follows. */
export type LiveEvent =
  /** The stream is open: what happens from its cursor on is told. Of no other boundary is anything. */
  | { type: 'opened'; boundaries: Boundary[] }
  /** A post that is new, has changed, or can be read again. */
  | { type: 'post'; post: Visible<PostView> }
  /** A post that is gone, or is not to be read here any more. */
  | { type: 'removed'; uri: AtUri; node: Did }
  /** A boundary that can be read from now on: what was posted to it before is to be read as a page. */
  | { type: 'boundaryOpened'; boundary: Boundary }
  /** A boundary that cannot be read any more: what is shown of it has to go. */
  | { type: 'boundaryClosed'; boundary: Boundary }
  /** What happened after the given cursor is not known any more: everything is to be read anew. */
  | { type: 'reset' }
  /** The last event of a stream. */
  | { type: 'closed'; reason: CloseReason };

/** An event as it goes to one stream. */
export interface LiveDelivery {
  /** Opaque, good for this viewer and this subscription only: where to go on after this event. */
  cursor: string;
  event: LiveEvent;
}

export interface LiveInput {
  /** Only posts of this boundary. */
  boundary?: Boundary | undefined;
  /** Cursor of the last event that was seen. */
  after?: string | undefined;
}

/** One open subscription. Whoever stops reading disposes of it, or returns from its iterator. */
export interface LiveStream extends AsyncIterable<Visible<LiveDelivery>>, Disposable {}

/** What one viewer can follow. */
export interface Live {
  /**
   * Posts of the viewer's timeline, from now on or from a cursor on. Throws an `ApiError`
   * `INVALID_CURSOR` or `TOO_MANY_STREAMS`.
   */
  posts(input: LiveInput): Promise<LiveStream>;
}

/** Throws `UNAUTHENTICATED` when nobody is signed in. */
export function liveOf(context: { live?: Live | undefined }): Live {
  if (!context.live) throw unauthenticated();
  return context.live;
}
