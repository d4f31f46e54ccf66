import { type Did, isDid } from '@stratos/protocol';
import type { Logger } from '../logger.ts';

const REFRESH_MS = 10 * 60_000;
/** Bytes of a list: about 200,000 DIDs. */
export const MAX_ALLOW_LIST_BYTES = 8 * 1024 * 1024;

/** People whom the processes of a node remember together. */
export interface SharedList {
  /** Whether the operator put somebody there. */
  has(did: Did): Promise<boolean>;
  /** Whether somebody was on the list that was kept last. */
  wasListed(did: Did): Promise<boolean>;
  /** Takes the place of the list that was kept before. */
  keep(dids: ReadonlySet<string>): Promise<void>;
}

export interface AllowListOptions {
  /** Undefined for a node without one. */
  uri: string | undefined;
  /** Bounded in size and time. */
  fetch: typeof globalThis.fetch;
  /** Undefined for a node whose processes share no memory. */
  shared?: SharedList | undefined;
  logger: Logger;
}

/** A list that cannot be used. */
class UnusableListError extends Error {
  override name = 'UnusableListError';
}

/**
 * People who may enroll, by a text that is kept elsewhere: one DID on each line, other lines do not
 * count. It is asked for every ten minutes; while that fails, the last one holds, which may be one
 * that another process read. Whom the operator put into the shared memory may enroll as well.
 */
export class AllowList implements AsyncDisposable {
  readonly #options: AllowListOptions;
  readonly #stopped = new AbortController();
  #dids: ReadonlySet<string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(options: AllowListOptions) {
    this.#options = options;
    void this.refresh();
  }

  /** Waits for the list if it is being asked for, and is false while there is none. */
  async has(did: Did): Promise<boolean> {
    await this.#refreshing;
    if (this.#dids?.has(did)) return true;
    const { uri, shared, logger } = this.#options;
    if (!shared) return false;
    try {
      if (await shared.has(did)) return true;
      return uri !== undefined && !this.#dids && (await shared.wasListed(did));
    } catch (error) {
      logger.warn({ reason: reasonOf(error) }, 'the shared allow list cannot be asked');
      return false;
    }
  }

  /** Asks for the list now. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#load().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#refreshing;
  }

  async #load(): Promise<void> {
    const { uri, fetch, shared, logger } = this.#options;
    if (uri === undefined) return;
    clearTimeout(this.#timer);
    try {
      const response = await fetch(uri, { signal: this.#stopped.signal });
      if (!response.ok) throw new UnusableListError(`its server answered ${response.status}`);
      const dids = parseList(await response.text());
      this.#dids = dids;
      logger.info({ dids: dids.size }, 'the allow list was read');
      await shared?.keep(dids).catch((error) => {
        logger.warn({ reason: reasonOf(error) }, 'the allow list cannot be shared');
      });
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      logger.warn({ err: error, dids: this.#dids?.size ?? 0 }, 'the allow list cannot be read');
    }
    this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS);
    this.#timer.unref();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

function parseList(text: string): Set<string> {
  const lines = text.split('\n').map((line) => line.trim());
  const dids = new Set(lines.filter(isDid));
  // @NOTE a page that says that the list is gone is not a list of nobody
  if (dids.size === 0 && text.trim() !== '') throw new UnusableListError('it has no DID');
  return dids;
}
