import { type AtUri, type Cid, type Did, encodeRecord, type ProofError } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../logger.ts';
import type { RecordValue } from '../posts.ts';
import { Breaker } from './breaker.ts';
import { hedged, Latencies } from './hedge.ts';
import type { NodeClient } from './node-client.ts';

/** Addresses in a call, see zone.stratos.repo.hydrateRecords. */
const URIS_PER_CALL = 100;
const TIMEOUT_MS = 1_500;
/** When a node is asked a second time, as long as nobody knows how long it takes, and at the earliest. */
const AGAIN_AFTER_MS = 500;
const EARLIEST_AGAIN_MS = 50;
const MAX_NODES = 10_000;

/** A record of which the index knows where it is and what its CID is. */
export interface WantedRecord {
  uri: AtUri;
  node: Did;
  cid: Cid;
}

/** A record that is of its CID, or why there is none. */
export type FoundRecord =
  | { value: RecordValue }
  /** The node was asked in vain, or not at all. */
  | { reason: 'unavailable' }
  /** It has no such record, or another one. */
  | { reason: 'missing' | ProofError['reason'] };

export interface NodeRecordsOptions {
  client: Pick<NodeClient, 'records'>;
  logger: Logger;
  /** Bytes of records that are kept in memory. */
  cacheBytes: number;
}

interface KnownNode {
  breaker: Breaker;
  latencies: Latencies;
}

/**
 * Records from the nodes that hold them, for all requests together. It keeps what records say by their CIDs, and
 * nothing of who may see them. What is asked for twice at a time is asked of a node once.
 */
export class NodeRecords {
  readonly #options: NodeRecordsOptions;
  readonly #known: LRUCache<Cid, { value: RecordValue; bytes: number }>;
  readonly #asked = new Map<string, Promise<FoundRecord>>();
  readonly #nodes = new LRUCache<Did, KnownNode>({ max: MAX_NODES });

  constructor(options: NodeRecordsOptions) {
    this.#options = options;
    this.#known = new LRUCache({
      maxSize: options.cacheBytes,
      sizeCalculation: ({ bytes }) => bytes,
    });
  }

  /** Records in the order in which they are wanted, with at most one call to a node for a hundred of them. */
  load(wanted: readonly WantedRecord[]): Promise<FoundRecord[]> {
    const unasked = wanted.filter((record) => {
      return !this.#known.has(record.cid) && !this.#asked.has(keyOf(record));
    });
    const found = new Map(unasked.map((record) => [keyOf(record), record]));
    const byNode = Map.groupBy(found.values(), ({ node }) => node);
    for (const [node, records] of byNode) {
      for (let at = 0; at < records.length; at += URIS_PER_CALL) {
        this.#ask(node, records.slice(at, at + URIS_PER_CALL));
      }
    }
    return Promise.all(wanted.map((record) => this.#found(record)));
  }

  async #found(record: WantedRecord): Promise<FoundRecord> {
    const known = this.#known.get(record.cid);
    if (known) return { value: known.value };
    return (await this.#asked.get(keyOf(record))) ?? { reason: 'unavailable' };
  }

  #ask(node: Did, records: readonly WantedRecord[]): void {
    const call = this.#call(
      node,
      records.map(({ uri }) => uri),
    );
    for (const record of records) {
      const key = keyOf(record);
      const found = call.then((values) =>
        values ? this.#check(record, values.get(record.uri)) : NOT_THERE,
      );
      this.#asked.set(key, found);
      found.finally(() => this.#asked.delete(key));
    }
  }

  /** Undefined when the node cannot be asked. */
  async #call(node: Did, uris: AtUri[]): Promise<Map<AtUri, RecordValue> | undefined> {
    const { client, logger } = this.#options;
    const { breaker, latencies } = this.#node(node);
    if (!breaker.mayAsk()) return undefined;
    const attempt = async (signal: AbortSignal) => {
      const begin = performance.now();
      const records = await client.records(node, uris, signal);
      latencies.add(performance.now() - begin);
      return records;
    };
    const againAfterMs = Math.max(latencies.p95 ?? AGAIN_AFTER_MS, EARLIEST_AGAIN_MS);
    try {
      const records = await hedged(attempt, { againAfterMs, timeoutMs: TIMEOUT_MS });
      breaker.worked();
      return records;
    } catch (error) {
      breaker.failed();
      const reason = error instanceof Error ? error.name : 'unknown';
      logger.warn({ node, reason }, 'a node does not give records');
      return undefined;
    }
  }

  async #check({ cid }: WantedRecord, value: RecordValue | undefined): Promise<FoundRecord> {
    if (!value) return { reason: 'missing' };
    const block = await encodeRecord(value).catch(() => undefined);
    if (block?.cid !== cid) return { reason: 'wrong-cid' };
    this.#known.set(cid, { value, bytes: block.bytes.length });
    return { value };
  }

  #node(did: Did): KnownNode {
    const known = this.#nodes.get(did) ?? { breaker: new Breaker(), latencies: new Latencies() };
    this.#nodes.set(did, known);
    return known;
  }
}

const NOT_THERE = { reason: 'unavailable' } as const;

function keyOf({ node, uri, cid }: WantedRecord): string {
  return `${node} ${uri} ${cid}`;
}
