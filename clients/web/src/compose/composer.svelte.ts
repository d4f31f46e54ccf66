import type { Post } from '../feed/posts.ts';
import type { Draft } from './write.ts';

/** What the composer is opened for. */
export interface Opening {
  /** The community that is on the screen. */
  boundary?: string | undefined;
  replyTo?: Post;
  edit?: Post | undefined;
  /** What was taken back. */
  draft?: Draft;
}

/** The one composer of the page. */
class ComposerState {
  opening = $state.raw<Opening>();

  open(opening: Opening): void {
    this.opening = opening;
  }

  close(): void {
    this.opening = undefined;
  }
}

export const composer = new ComposerState();
