import { readFile, rename, writeFile } from 'node:fs/promises';

/** What was done in a data folder once and is not done again by a later start. */
export class Progress {
  readonly #file: string;
  readonly #done: Map<string, unknown>;

  private constructor(file: string, done: Map<string, unknown>) {
    this.#file = file;
    this.#done = done;
  }

  static async open(file: string): Promise<Progress> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}';
      throw error;
    });
    return new Progress(file, new Map(Object.entries(JSON.parse(text))));
  }

  /** Does a step unless it is done, and keeps its result. */
  async once<T>(step: string, work: () => Promise<T>): Promise<T> {
    if (!this.#done.has(step)) {
      this.#done.set(step, await work());
      await this.#save();
    }
    return this.#done.get(step) as T;
  }

  /** The result of a step that is done. */
  result<T>(step: string): T | undefined {
    return this.#done.get(step) as T | undefined;
  }

  has(step: string): boolean {
    return this.#done.has(step);
  }

  async #save(): Promise<void> {
    const draft = `${this.#file}.new`;
    await writeFile(draft, `${JSON.stringify(Object.fromEntries(this.#done), null, 2)}\n`);
    await rename(draft, this.#file);
  }
}
