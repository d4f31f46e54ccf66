/** Milliseconds without a byte after which a node is given up. */
const STALL_MS = 20_000;
/** Milliseconds from which on a node must have sent this many bytes in each of them. */
const GRACE_MS = 30_000;
const SLOWEST_BYTES_PER_MS = 64;

/** Gives a node time enough to send something large, and none to hold us up. */
export class Patience implements Disposable {
  readonly #stalled = new AbortController();
  readonly #begun = performance.now();
  readonly #timer = setTimeout(() => {
    this.#stalled.abort(new Error('the node has fallen silent'));
  }, STALL_MS);

  /** Aborts when nothing comes, and at the end, for what was not read. */
  get signal(): AbortSignal {
    return this.#stalled.signal;
  }

  /** The same chunks; throws when they come too slowly. */
  async *with(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of chunks) {
      this.#timer.refresh();
      bytes += chunk.length;
      const passed = performance.now() - this.#begun;
      if (passed > GRACE_MS && bytes < passed * SLOWEST_BYTES_PER_MS) {
        throw new Error('the node sends too slowly');
      }
      yield chunk;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#stalled.abort();
  }
}
