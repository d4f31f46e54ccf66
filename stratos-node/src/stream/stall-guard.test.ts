import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StallGuard } from './stall-guard.ts';

const cut = vi.fn();
beforeEach(() => {
  cut.mockReset();
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

it('cuts a consumer once that does not take a frame', () => {
  using guard = new StallGuard(cut, 1_000);
  guard.sending();
  vi.advanceTimersByTime(999);
  expect(cut).not.toHaveBeenCalled();
  vi.advanceTimersByTime(501);
  expect(cut).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(60_000);
  expect(cut).toHaveBeenCalledTimes(1);
});

it('leaves a consumer alone that takes every frame, and one that there is nothing for', () => {
  using guard = new StallGuard(cut, 1_000);
  for (let i = 0; i < 10; i += 1) {
    guard.sending();
    vi.advanceTimersByTime(900);
    guard.taken();
  }
  vi.advanceTimersByTime(60_000);
  expect(cut).not.toHaveBeenCalled();
});

it('does nothing after the stream has ended', () => {
  {
    using guard = new StallGuard(cut, 1_000);
    guard.sending();
  }
  vi.advanceTimersByTime(60_000);
  expect(cut).not.toHaveBeenCalled();
});
