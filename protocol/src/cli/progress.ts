import { Presets, SingleBar } from 'cli-progress';

/** How far something is, on standard error; nothing where nobody looks. */
export class Progress implements Disposable {
  readonly #bar: SingleBar | undefined;

  constructor(what: string, total: number) {
    if (!process.stderr.isTTY) return;
    const format = `${what} {bar} {percentage}% {value}/{total}, {eta_formatted} left`;
    this.#bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
    this.#bar.start(total, 0);
  }

  add(count = 1): void {
    this.#bar?.increment(count);
  }

  /** There is more, or less, to do than was thought. */
  outOf(total: number): void {
    this.#bar?.setTotal(total);
  }

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}
