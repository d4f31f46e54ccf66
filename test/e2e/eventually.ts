import { setTimeout as delay } from 'node:timers/promises';

/** Repeats an assertion until it holds; after `timeoutMs` its failure is the test's. */
export async function eventually<T>(assertion: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}
