import type { Send } from './session.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** Sends again, a few times and after longer and longer waits, what could not be answered just now. */
export function retrying(send: Send, retries: number): Send {
  return async (input, init) => {
    for (let failures = 0; ; failures += 1) {
      try {
        const response = await send(input, init);
        if (!isPassing(response) || failures >= retries) return response;
        await response.body?.cancel();
      } catch (error) {
        if (!isUnreached(error) || failures >= retries) throw error;
      }
      await pause(failures, init?.signal);
    }
  };
}

/** Whether the same request may be answered a little later. */
export function isPassing({ status }: Response): boolean {
  return status === 502 || status === 503 || status === 504;
}

/** Where nobody answers `fetch` rejects with a `TypeError`, and a session with this code. */
export function isUnreached(error: unknown): boolean {
  return error instanceof TypeError || Object(error).code === 'Unreachable';
}

/**
 * Waits the longer the more often it failed, half of it by chance so that clients do not come back all at
 * once. Rejects as soon as it is stopped.
 */
export function pause(failures: number, signal?: AbortSignal | null): Promise<void> {
  const most = Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
  return new Promise((resolve, reject) => {
    const stopped = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stopped);
        resolve();
      },
      most * (0.5 + Math.random() / 2),
    );
    if (signal?.aborted) stopped();
    else signal?.addEventListener('abort', stopped, { once: true });
  });
}
