/** How many may wait, and how many bytes they may have together. */
export interface Room {
  count: number;
  bytes: number;
}

interface Waiting<T> {
  item: T;
  bytes: number;
}

/**
 * What has arrived and waits for its turn, in order. Whoever fills it is told when there is no room and
 * when there is some again; whoever empties it takes all that is there, and waits only for the first.
 */
export class Arrivals<T> {
  readonly #room: Room;
  #items: Waiting<T>[] = [];
  #bytes = 0;
  #end: { error?: unknown } | undefined;
  #arrived = Promise.withResolvers<void>();
  #left = Promise.withResolvers<void>();

  constructor(room: Room) {
    this.#room = room;
  }

  get count(): number {
    return this.#items.length;
  }

  get isFull(): boolean {
    return this.count >= this.#room.count || this.#bytes >= this.#room.bytes;
  }

  push(item: T, bytes = 0): void {
    if (this.#end) return;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#arrived.resolve();
  }

  /** Nothing more comes; what is there can still be taken, before the error if there is one. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#arrived.resolve();
    this.#left.resolve();
  }

  /** Ends at once, and forgets what is there. */
  clear(): void {
    this.#end = {};
    this.#items = [];
    this.#bytes = 0;
    this.end();
  }

  /** Waits until something has been taken, or it has ended. */
  async untilRoom(): Promise<void> {
    while (this.isFull && !this.#end) {
      this.#left = Promise.withResolvers();
      await this.#left.promise;
    }
  }

  /**
   * The first that have arrived, no further than one of which `isLast` says so.
   *
   * @returns undefined at the end
   * @throws what it ended with
   */
  async take(most: number, isLast: (item: T) => boolean = () => false): Promise<T[] | undefined> {
    while (this.#items.length === 0 && !this.#end) {
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
    if (this.#items.length === 0) {
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      return undefined;
    }
    const last = this.#items.findIndex(({ item }, i) => i >= most - 1 || isLast(item));
    const taken = this.#items.splice(0, last === -1 ? this.#items.length : last + 1);
    for (const { bytes } of taken) this.#bytes -= bytes;
    this.#left.resolve();
    return taken.map(({ item }) => item);
  }
}
