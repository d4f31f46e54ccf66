import type { Did } from '@stratos/protocol';
import { backoffMs } from '../../backoff.ts';
import type { Database } from '../../database.ts';

const ACTORS_PER_READ = 100;
/** Longest time for which somebody is passed over whose stream fails. */
const LONGEST_WAIT_MS = 10 * 60_000;
const MAX_WAITS = 10_000;

/**
 * Whose turn it is to be listened to: the members of a node one after the other, in the order of their
 * DIDs, from the beginning again and again. Whoever has much to say has no more turns than others.
 */
export class ActorTurns {
  readonly #db: Database;
  readonly #nodeDid: Did;
  readonly #having = new Set<Did>();
  readonly #waits = new Map<Did, { until: number; failures: number }>();
  #next: Did[] = [];
  #last = '';

  constructor(db: Database, nodeDid: Did) {
    this.#db = db;
    this.#nodeDid = nodeDid;
  }

  /** How many have their turn. */
  get count(): number {
    return this.#having.size;
  }

  /** Begins the next turn; undefined while everybody has one, or is to be passed over. */
  async begin(): Promise<Did | undefined> {
    for (let reads = 0; ; ) {
      const did = this.#next.shift();
      if (did === undefined) {
        if (reads++ === 2) return undefined;
        await this.#read();
      } else if (this.#isFree(did)) {
        this.#having.add(did);
        return did;
      }
    }
  }

  end(did: Did, { hasFailed }: { hasFailed: boolean }): void {
    this.#having.delete(did);
    const failures = hasFailed ? (this.#waits.get(did)?.failures ?? 0) + 1 : 0;
    this.#waits.delete(did);
    if (!hasFailed) return;
    if (this.#waits.size >= MAX_WAITS) this.#waits.clear();
    const until = performance.now() + backoffMs(failures, LONGEST_WAIT_MS);
    this.#waits.set(did, { until, failures });
  }

  #isFree(did: Did): boolean {
    const { until = 0 } = this.#waits.get(did) ?? {};
    return !this.#having.has(did) && until <= performance.now();
  }

  async #read(): Promise<void> {
    const rows = await this.#db.$queryRaw<{ did: Did }[]>`
      select did from stratos_membership
      where node_did = ${this.#nodeDid} and active and did > ${this.#last}
      order by did limit ${ACTORS_PER_READ}`;
    this.#next = rows.map(({ did }) => did);
    this.#last = rows.length < ACTORS_PER_READ ? '' : (rows.at(-1)?.did ?? '');
  }
}
