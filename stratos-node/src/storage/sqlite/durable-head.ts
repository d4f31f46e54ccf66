import type { Prepare } from './connection.ts';

const HEAD = `SELECT max(
  coalesce((SELECT max(seq) FROM service_seq), 0),
  coalesce((SELECT seq FROM service_seq_floor WHERE stream = 'service'), 0)) AS head`;

/**
 * How much of the node's stream is on disk. What is committed and not there yet must not be seen, as
 * its positions would be given again if the machine failed now.
 */
export class DurableHead {
  readonly #prepare: Prepare;
  #seq: number;

  /** All that is there now must be on disk. */
  constructor(prepare: Prepare) {
    this.#prepare = prepare;
    this.#seq = this.newest();
  }

  get seq(): number {
    return this.#seq;
  }

  /** The newest position, whether it is on disk or not. */
  newest(): number {
    return this.#prepare<{ head: number }>(HEAD).get()?.head ?? 0;
  }

  /** Says that all up to a position is on disk. */
  raise(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }
}
