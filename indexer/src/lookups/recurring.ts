import { setTimeout as sleep } from 'node:timers/promises';

/** Runs a task at intervals, one run at a time, until disposed. A run that fails is not the last. */
export function recurring(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await task().catch(onError);
      await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
