import { setTimeout as sleep } from 'node:timers/promises';

const BASE_MS = 250;

/** Waits before attempt number `attempt` (from 0): exponential, with jitter, at most `capMs`. */
export async function backoff(attempt: number, capMs: number, signal: AbortSignal): Promise<void> {
  const ceiling = Math.min(capMs, BASE_MS * 2 ** Math.min(attempt, 16));
  await sleep(ceiling / 2 + Math.random() * (ceiling / 2), undefined, { signal }).catch(() => {});
}
