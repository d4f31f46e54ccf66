import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

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
    this.#file ??= this.#open();
    await (await this.#file).datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    try {
      // @NOTE or a log that is new may be gone; SQLite does this where it is SQLite that syncs it
      await syncFolder(dirname(this.#path));
      // @NOTE the locks of SQLite are on its other files, so a handle of our own does not touch them
      return await open(this.#path, 'r');
    } catch (error) {
      this.#file = undefined;
      throw error;
    }
  }
}
