import type { WriteStream } from 'node:tty';
import { type Style, styleFor } from './console-style.ts';
import type { Report } from './report.ts';

/** Writes each step to a terminal as it happens, or line by line where there is none. */
export class ConsoleReport implements Report {
  readonly #out: WriteStream;
  readonly #style: Style;

  constructor(out: WriteStream) {
    this.#out = out;
    this.#style = styleFor(out);
  }

  async step<T>(title: string, work: () => Promise<T>): Promise<T> {
    const { dim, green, red } = this.#style;
    const started = performance.now();
    if (this.#out.isTTY) this.#out.write(`  ${dim('…')} ${title}`);
    try {
      const result = await work();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.#finishLine(`  ${green('✓')} ${title} ${dim(`${seconds} s`)}`);
      return result;
    } catch (error) {
      this.#finishLine(`  ${red('✗')} ${title}`);
      throw error;
    }
  }

  warn(message: string): void {
    this.#out.write(`\n${this.#style.red('!')} ${message.replaceAll('\n', '\n  ')}\n`);
  }

  #finishLine(line: string): void {
    if (this.#out.isTTY) {
      this.#out.cursorTo(0);
      this.#out.clearLine(0);
    }
    this.#out.write(`${line}\n`);
  }
}
