import { type AtUri, type Cid, type Did, ProofError } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { NodeCalls } from './node-calls.ts';

/** Addresses in a call, see zone.stratos.repo.hydrateRecords. */
const URIS_PER_CALL = 100;

/** A record of which it is known where it is and what its CID is. */
export interface WantedRecord {
  uri: AtUri;
  node: Did;
  cid: Cid;
}

/** What was found of a record that is what it should be, or why there is nothing. */
export type Found<T> =
  | { value: T }
  /** The node was asked in vain, or not at all. */
  | { reason: 'unavailable' }
  /** It has no such record, or another one. */
  | { reason: 'missing' | ProofError['reason'] };

/** What is taken of an answer, and how much memory it needs. */
export interface Checked<T> {
  value: T;
  bytes: number;
}

export interface BatchedRecordsOptions<Wanted extends WantedRecord, Given, T> {
  calls: NodeCalls;
  /** Asks a node for 100 records at most. What it does not have is not in the answer. */
  ask(node: Did, uris: readonly AtUri[], signal: AbortSignal): Promise<Map<AtUri, Given>>;
  /** Throws a {@link ProofError} when what a node has given is not what is wanted. */
  check(wanted: Wanted, given: Given): Promise<Checked<T>>;
  /** Bytes that are kept in memory. */
  cacheBytes: number;
}

/**
 * Records from the nodes that hold them, for all requests together. It keeps what they are, and nothing of who
 * may see them. What is asked for twice at a time is asked of a node once.
 */
export class BatchedRecords<Wanted extends WantedRecord, Given, T> {
  readonly #options: BatchedRecordsOptions<Wanted, Given, T>;
  readonly #known: LRUCache<string, Checked<T>>;
  readonly #asked = new Map<string, Promise<Found<T>>>();

  constructor(options: BatchedRecordsOptions<Wanted, Given, T>) {
    this.#options = options;
    this.#known = new LRUCache({
      maxSize: options.cacheBytes,
      sizeCalculation: ({ bytes }) => bytes,
    });
  }

  /** Records in the order in which they are wanted, with at most one call to a node for a hundred of them. */
  load(wanted: readonly Wanted[]): Promise<Found<T>[]> {
    const unasked = new Map(
      wanted
        .map((record) => [keyOf(record), record] as const)
        .filter(([key]) => !this.#known.has(key) && !this.#asked.has(key)),
    );
    const byNode = Map.groupBy(unasked.values(), ({ node }) => node);
    for (const [node, records] of byNode) {
      for (let at = 0; at < records.length; at += URIS_PER_CALL) {
        this.#ask(node, records.slice(at, at + URIS_PER_CALL));
      }
    }
    return Promise.all(wanted.map((record) => this.#found(keyOf(record))));
  }

  async #found(key: string): Promise<Found<T>> {
    const known = this.#known.get(key);
    if (known) return { value: known.value };
    return (await this.#asked.get(key)) ?? UNAVAILABLE;
  }

  #ask(node: Did, records: readonly Wanted[]): void {
    const { calls, ask } = this.#options;
    const uris = records.map(({ uri }) => uri);
    const call = calls.call(node, (signal) => ask(node, uris, signal));
    for (const record of records) {
      const key = keyOf(record);
      const found = call
        .then((answer) => (answer ? this.#check(key, record, answer.get(record.uri)) : UNAVAILABLE))
        .finally(() => this.#asked.delete(key));
      this.#asked.set(key, found);
    }
  }

  async #check(key: string, wanted: Wanted, given: Given | undefined): Promise<Found<T>> {
    if (given === undefined) return { reason: 'missing' };
    try {
      const checked = await this.#options.check(wanted, given);
      this.#known.set(key, checked);
      return { value: checked.value };
    } catch (error) {
      if (error instanceof ProofError) return { reason: error.reason };
      throw error;
    }
  }
}

const UNAVAILABLE = { reason: 'unavailable' } as const;

function keyOf({ node, uri, cid }: WantedRecord): string {
  return `${node} ${uri} ${cid}`;
}
