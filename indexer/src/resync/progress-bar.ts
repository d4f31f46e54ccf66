import { Progress } from '@stratos/protocol/cli';
import type { ResyncProgress } from './resync-progress.ts';

/** From this many repos on there is something to see. */
const FEWEST = 2;

/** How far the fetching of repos is, for somebody at a terminal. */
export class ProgressBar implements Disposable {
  #bar: Progress | undefined;
  /** What had been done when the bar was last drawn, and since it began. */
  #before = 0;
  #done = 0;

  show({ waiting, done }: ResyncProgress): void {
    const more = done - this.#before;
    this.#before = done;
    if (!this.#bar) {
      if (waiting < FEWEST) return;
      this.#bar = new Progress('fetching repos', waiting);
      this.#done = 0;
      return;
    }
    this.#done += more;
    this.#bar.outOf(this.#done + waiting);
    this.#bar.add(more);
    if (waiting === 0) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
    this.#bar = undefined;
  }
}
