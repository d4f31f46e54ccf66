import { setTimeout as sleep } from 'node:timers/promises';

export interface Recurring extends AsyncDisposable {
  /** Has the next run begin without waiting. */
  soon(): void;
}

/** Runs a task at intervals, one run at a time, until disposed. A run that fails is not the last. */
export function recurring(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): Recurring {
  let stopped = false;
  let wake = new AbortController();
  const running = (async () => {
    while (!stopped) {
      wake = new AbortController();
      await task().catch(onError);
      await sleep(intervalMs, undefined, { signal: wake.signal }).catch(() => {});
    }
  })();
  return {
    soon: () => wake.abort(),
    async [Symbol.asyncDispose]() {
      stopped = true;
      wake.abort();
      await running;
    },
  };
}
