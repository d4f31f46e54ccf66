/** Reads something that costs, and gives the same to all who ask within `ms`, failures as well. */
export function keptFor<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let kept: { until: number; reading: Promise<T> } | undefined;
  return () => {
    if (!kept || performance.now() > kept.until) {
      kept = { until: performance.now() + ms, reading: read() };
    }
    return kept.reading;
  };
}
