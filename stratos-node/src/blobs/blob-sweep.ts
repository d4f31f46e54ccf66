import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { removeUnreferenced, TEMPORARY_MS } from './remove-unreferenced.ts';

/** Milliseconds between two sweeps. */
const INTERVAL_MS = 10 * 60 * 1_000;

export type BlobSweepOptions = Pick<NodeContext, 'actors' | 'blobs' | 'locks' | 'logger'>;

/**
 * Removes what is left of blobs: uploads to which no record came to refer, and whatever a crash or
 * an unreachable store kept from being removed at once.
 */
export class BlobSweep implements AsyncDisposable {
  readonly #options: BlobSweepOptions;
  readonly #waiting = new Set<Did>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: BlobSweepOptions) {
    this.#options = options;
  }

  /** Sweeps now, and from time to time. */
  start(): void {
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS).unref();
    void this.run();
  }

  /** Has a person's blobs looked at by the next sweep. */
  add(did: Did): void {
    this.#waiting.add(did);
  }

  /** Removes what is no longer needed of a person's blobs, or leaves it to the next sweep. */
  async tidy(did: Did, temporaryKeys: readonly string[] = []): Promise<void> {
    try {
      await removeUnreferenced(this.#options, did);
      for (const key of temporaryKeys) await this.#options.blobs.removeTemporary(did, key);
    } catch (error) {
      this.#options.logger.error({ err: error, did }, 'blobs could not be removed');
      this.#waiting.add(did);
    }
  }

  /** Sweeps once, after a sweep that is under way. */
  async run(): Promise<void> {
    this.#running = this.#running.then(() => this.#sweep());
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { blobs, locks, logger } = this.#options;
    try {
      const keys = await this.#oldUploads();
      const people = new Set([...this.#waiting, ...keys.keys()]);
      this.#waiting.clear();
      for (const did of people) {
        if (this.#isStopped) return;
        await locks.run(did, async () => {
          await this.tidy(did);
          for (const key of await this.#leftOver(did, keys.get(did) ?? [])) {
            await blobs.removeTemporary(did, key);
          }
        });
      }
    } catch (error) {
      logger.error({ err: error }, 'blobs could not be swept');
    }
  }

  async #oldUploads(): Promise<Map<Did, string[]>> {
    const before = Date.now() - TEMPORARY_MS;
    const keys = new Map<Did, string[]>();
    for await (const { did, key, writtenAt } of this.#options.blobs.temporary()) {
      if (writtenAt.getTime() >= before) continue;
      keys.set(did, [...(keys.get(did) ?? []), key]);
    }
    return keys;
  }

  /** Those of the uploads that the person's store no longer knows, or never did. */
  async #leftOver(did: Did, keys: readonly string[]): Promise<string[]> {
    if (keys.length === 0) return [];
    const known = await this.#options.actors.read(did, (actor) => actor.blobs.temporaryKeys());
    return keys.filter((key) => !known?.includes(key));
  }
}
