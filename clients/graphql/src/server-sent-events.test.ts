import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is read of an answer, and whether it was ended. */
function read(...chunks: string[]) {
  const seen = { events: [] as ServerSentEvent[], isOver: false, isCancelled: false };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  writer.closed.catch(() => {
    seen.isCancelled = true;
  });
  const write = (text: string) => writer.write(new TextEncoder().encode(text)).catch(() => {});
  const reading = async () => {
    for await (const event of serverSentEvents(readable)) seen.events.push(event);
    seen.isOver = true;
  };
  reading();
  for (const chunk of chunks) write(chunk);
  return { seen, write };
}

test('events are told however they are cut', async () => {
  const { seen } = read('id: 1\nevent: ne', 'xt\ndata: {}\n', '\n:\n\nevent: complete\ndata:\n\n');
  await vi.advanceTimersByTimeAsync(1);
  expect(seen.events).toEqual([
    { id: '1', event: 'next', data: '{}' },
    { id: undefined, event: 'complete', data: '' },
  ]);
});

test('an answer that falls silent is over, one with signs of life is not', async () => {
  const { seen, write } = read(':\n\n');
  for (let minute = 0; minute < 3; minute += 1) {
    await vi.advanceTimersByTimeAsync(40_000);
    write(':\n\n');
  }
  await vi.advanceTimersByTimeAsync(40_000);
  expect(seen.isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen).toMatchObject({ isOver: true, isCancelled: true });
});
