/** Milliseconds that one frame may take until the consumer has it. */
const STALL_AFTER_MS = 30_000;

/** Passes a stream on, and calls `cut` when the consumer does not take a frame for too long. */
export async function* cutWhenStalled<T>(
  source: AsyncIterable<T>,
  cut: () => void,
  stallAfterMs = STALL_AFTER_MS,
): AsyncGenerator<T> {
  for await (const item of source) {
    const timer = setTimeout(cut, stallAfterMs);
    timer.unref();
    try {
      yield item;
    } finally {
      clearTimeout(timer);
    }
  }
}
