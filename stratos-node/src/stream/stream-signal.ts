/** Wakes those who wait for the node's stream to grow. */
export class StreamSignal {
  #version = 0;
  readonly #waiting = new Set<() => void>();
  /** Called with every {@link raise}, to tell other processes. */
  onRaise: (() => void) | undefined;

  /** Changes with every {@link raise} and {@link wake}. Read it *before* looking at the log. */
  get version(): number {
    return this.#version;
  }

  /** Says that this process made the stream grow. */
  raise(): void {
    this.wake();
    this.onRaise?.();
  }

  /** Wakes those who wait in this process. */
  wake(): void {
    this.#version += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves once the version is no longer `seen`, after `timeoutMs`, or when aborted. */
  async changedSince(
    seen: number,
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<void> {
    const { timeoutMs, signal } = options;
    if (this.#version !== seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
