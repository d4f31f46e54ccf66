interface Entry<Handle> {
  handle: Promise<Handle>;
  users: number;
  /** Called when the last user is done, if somebody waits for that. */
  onIdle?: () => void;
}

export interface HandleLifecycle<Key, Handle> {
  open(key: Key): Promise<Handle>;
  close(handle: Handle): Promise<void>;
}

/**
 * Keeps the most recently used handles open, at most `max` of them; handles in use are never
 * closed, so with more users than that at once it exceeds the bound until they are done.
 */
export class HandlePool<Key, Handle> implements AsyncDisposable {
  readonly #max: number;
  readonly #lifecycle: HandleLifecycle<Key, Handle>;
  /** In order of last use, oldest first. */
  readonly #entries = new Map<Key, Entry<Handle>>();
  readonly #closing = new Map<Key, Promise<void>>();

  constructor(max: number, lifecycle: HandleLifecycle<Key, Handle>) {
    this.#max = max;
    this.#lifecycle = lifecycle;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  async use<T>(key: Key, task: (handle: Handle) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) ?? this.#open(key);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    try {
      return await task(await entry.handle);
    } finally {
      entry.users -= 1;
      if (entry.users === 0) entry.onIdle?.();
      this.#evict();
    }
  }

  /** Closes a handle as soon as nobody uses it. Nobody may ask for it again until then. */
  async remove(key: Key): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry && entry.users > 0) {
      await new Promise<void>((resolve) => {
        entry.onIdle = resolve;
      });
    }
    if (entry && this.#entries.get(key) === entry) this.#close(key, entry);
    await this.#closing.get(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [key, entry] of this.#entries) this.#close(key, entry);
    await Promise.all(this.#closing.values());
  }

  #open(key: Key): Entry<Handle> {
    const opened = (this.#closing.get(key) ?? Promise.resolve()).then(() =>
      this.#lifecycle.open(key),
    );
    const entry = { handle: opened, users: 0 };
    opened.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#max) return;
      if (entry.users === 0) this.#close(key, entry);
    }
  }

  #close(key: Key, entry: Entry<Handle>): void {
    this.#entries.delete(key);
    const closed = entry.handle
      .then((handle) => this.#lifecycle.close(handle))
      .catch(() => undefined)
      .then(() => {
        this.#closing.delete(key);
      });
    this.#closing.set(key, closed);
  }
}
