import type { NodeEvent } from '../applying/node-event.ts';
import type { Database } from '../database.ts';
import type { Turns } from '../followers/turns.ts';
import { type Hold, placeHolds } from './place-holds.ts';
import { type MembershipStated, membershipStated, recordsRevoked } from './revocation.ts';

/** Events of one node that are applied ahead of their turn; more of them wait for it. */
const MOST_AHEAD = 1_000;

export interface RevocationsOptions {
  db: Database;
  nodeDid: string;
  turns: Pick<Turns, 'first'>;
  onError: (error: unknown) => void;
}

/**
 * Sees to it that what a node takes back is hidden as soon as it arrives, whatever is still to be applied
 * before it.
 */
export class Revocations implements AsyncDisposable {
  readonly #options: RevocationsOptions;
  #ahead: number[] = [];
  /** What was said of memberships and has not had its turn. */
  #stated: MembershipStated[] = [];
  #arrived: NodeEvent[] = [];
  #placing: Promise<void> = Promise.resolve();
  #isPlacing = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Takes note of an event that arrives behind others. */
  arrive(event: NodeEvent): void {
    if (event.type !== '#membership' && !(event.type === '#commit' && recordsRevoked(event)))
      return;
    if (this.#arrived.length + this.#ahead.length >= MOST_AHEAD) return;
    this.#arrived.push(event);
    if (this.#isPlacing) return;
    this.#isPlacing = true;
    this.#placing = this.#place()
      .catch(this.#options.onError)
      .finally(() => {
        this.#isPlacing = false;
      });
  }

  /** Positions of what was put ahead and has not had its turn. */
  get ahead(): readonly number[] {
    return this.#ahead;
  }

  /** Forgets what has had its turn. */
  applied(cursor: number): void {
    this.#ahead = this.#ahead.filter((seq) => seq > cursor);
    this.#stated = this.#stated.filter(({ streamSeq }) => streamSeq > cursor);
  }

  /** Waits until all that has arrived is hidden. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#placing;
  }

  async #place(): Promise<void> {
    while (this.#arrived.length > 0) {
      const events = this.#arrived;
      this.#arrived = [];
      const holds = events.map((event) => this.#holdOf(event)).filter((hold) => !!hold);
      this.#ahead.push(...holds.map(({ streamSeq }) => streamSeq));
      const { db, nodeDid, turns } = this.#options;
      if (holds.length > 0) await turns.first(() => placeHolds(db, nodeDid, holds));
    }
  }

  #holdOf(event: NodeEvent): Hold | undefined {
    if (event.type === '#commit') return recordsRevoked(event);
    const stated = membershipStated(event);
    if (!stated) return undefined;
    const { did, streamSeq, entrySeq, active, boundaries: keeps } = stated;
    const before = this.#stated.filter((other) => other.did === did);
    this.#stated.push(stated);
    const gains = before.flatMap(({ boundaries }) => boundaries);
    return { did, streamSeq, entrySeq, uris: active ? [] : [`at://${did}`], keeps, gains };
  }
}
