import { expect, it, vi } from 'vitest';
import { cutWhenStalled } from './stall-guard.ts';

async function* source() {
  yield 1;
  yield 2;
}

it('cuts a consumer that does not take a frame', async () => {
  const { promise: isCut, resolve: cut } = Promise.withResolvers<void>();
  const stream = cutWhenStalled(source(), cut, 5);
  await stream.next();
  await isCut;
});

it('leaves a consumer alone that takes every frame', async () => {
  vi.useFakeTimers();
  const cut = vi.fn();
  const taken = [];
  for await (const item of cutWhenStalled(source(), cut, 5)) taken.push(item);
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  expect(taken).toEqual([1, 2]);
  expect(cut).not.toHaveBeenCalled();
});
