import { type FileHandle, open } from 'node:fs/promises';

/**
 * Puts on disk what a database has committed with `synchronous = NORMAL`, which leaves it to the
 * operating system when its write-ahead log gets there: the same call that `FULL` makes within each
 * commit, but off the main thread, where it would hold up everybody.
 */
export class WalSync implements AsyncDisposable {
  readonly #path: string;
  #file: Promise<FileHandle> | undefined;

  /** @param databasePath - of a database that is open for as long as this is used */
  constructor(databasePath: string) {
    this.#path = `${databasePath}-wal`;
  }

  /** Returns once all that was committed before the call is on disk. */
  async sync(): Promise<void> {
    // @NOTE the locks of SQLite are on its other files, so a handle of our own does not touch them
    this.#file ??= open(this.#path, 'r');
    await (await this.#file).datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#file)?.close();
  }
}
