import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { DurableRunner } from './durable-runner.ts';

function createRunner(startCursor = 0) {
  const saved: number[] = [];
  const givenUp: number[] = [];
  const runner = new DurableRunner({
    startCursor,
    concurrency: 4,
    maxRetryMs: 1,
    save: async (cursor) => void saved.push(cursor),
    onGivenUp: async (seq) => void givenUp.push(seq),
    onSaveError: () => {},
  });
  return { runner, saved, givenUp };
}

test('tries an event again until it is applied, and moves over it only then', async () => {
  const { runner, saved } = createRunner();
  let attempts = 0;
  await runner.trackEvent('did:a:a', 1, async () => {
    if (++attempts < 60) runner.reportFailure(1, 'apply');
    expect(saved).toEqual([]);
  });
  expect(attempts).toBe(60);
  await runner[Symbol.asyncDispose]();
  expect(saved).toEqual([1]);
});

test('gives up what is disproven at once, and mere hints soon', async () => {
  const { runner, saved, givenUp } = createRunner();
  const attempts = { disproven: 0, hint: 0 };
  for (const [index, failure] of (['disproven', 'hint'] as const).entries()) {
    await runner.trackEvent('did:a:a', index + 1, async () => {
      attempts[failure]++;
      runner.reportFailure(index + 1, failure);
    });
  }
  expect(attempts).toEqual({ disproven: 1, hint: 3 });
  expect(givenUp).toEqual([1, 2]);
  await runner[Symbol.asyncDispose]();
  expect(saved.at(-1)).toBe(2);
});

test('an event of one person does not wait for those of another, the cursor does', async () => {
  const { runner, saved } = createRunner();
  const slow = Promise.withResolvers<void>();
  const first = runner.trackEvent('did:a:a', 1, () => slow.promise);
  await runner.trackEvent('did:b:b', 2, async () => {});
  expect(runner.cursor).toBe(0);
  slow.resolve();
  await first;
  await runner[Symbol.asyncDispose]();
  expect(saved.at(-1)).toBe(2);
});

test('ends while an event fails, with others behind it, and leaves them for the next start', async () => {
  const { runner, saved } = createRunner(4);
  const tracked = [5, 6, 7].map((seq) =>
    runner.trackEvent('did:a:a', seq, async () => runner.reportFailure(seq, 'apply')),
  );
  await sleep(5);
  await runner[Symbol.asyncDispose]();
  await Promise.all(tracked);
  expect(saved).toEqual([]);
  expect(runner.cursor).toBe(4);
});

test('begins at the last event again, and does not apply it again', async () => {
  const { runner } = createRunner(9);
  expect(runner.getCursor()).toBe(8);
  expect(runner.heard).toBe(false);
  const apply = vi.fn(async () => {});
  await runner.trackEvent('did:a:a', 9, apply);
  expect(runner.heard).toBe(true);
  expect(apply).not.toHaveBeenCalled();
  await runner[Symbol.asyncDispose]();
});
