import { createSubscriber } from 'svelte/reactivity';

const TICK_MS = 30_000;

/** What time it is, for those who show how long ago something was. */
class Clock {
  readonly #follow = createSubscriber((update) => {
    const timer = setInterval(update, TICK_MS);
    return () => clearInterval(timer);
  });

  get now(): number {
    this.#follow();
    return Date.now();
  }
}

export const clock = new Clock();
