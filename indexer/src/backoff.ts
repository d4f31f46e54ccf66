import { setTimeout as sleep } from 'node:timers/promises';

const BASE_MS = 250;

/** Milliseconds before attempt number `attempt` (from 0): exponential, at most `capMs`. */
export function backoffMs(attempt: number, capMs: number): number {
  return Math.min(capMs, BASE_MS * 2 ** Math.min(attempt, 16));
}

/** Waits before attempt number `attempt`, with jitter. */
export function backoff(attempt: number, capMs: number, signal: AbortSignal): Promise<void> {
  return pause(backoffMs(attempt, capMs), signal);
}

/** Waits for half of the time to all of it, so that many who wait do not go on in one moment. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms / 2 + Math.random() * (ms / 2), undefined, { signal }).catch(() => {});
}
