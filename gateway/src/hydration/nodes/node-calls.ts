import type { Did } from '@stratos/protocol';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../logger.ts';
import { Breaker } from './breaker.ts';
import { hedged, Latencies } from './hedge.ts';

const TIMEOUT_MS = 1_500;
/** When a node is asked a second time, as long as nobody knows how long it takes, and at the earliest. */
const AGAIN_AFTER_MS = 500;
const EARLIEST_AGAIN_MS = 50;
const MAX_NODES = 10_000;

interface KnownNode {
  breaker: Breaker;
  latencies: Latencies;
}

/** Calls to nodes for records, which end in time, and which a node that fails is spared. */
export class NodeCalls {
  readonly #logger: Logger;
  readonly #nodes = new LRUCache<Did, KnownNode>({ max: MAX_NODES });

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What an attempt comes to, of which there are two when the node is slow. Undefined when it cannot be asked. */
  async call<T>(node: Did, ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { breaker, latencies } = this.#node(node);
    if (!breaker.mayAsk()) return undefined;
    const attempt = async (signal: AbortSignal) => {
      const begin = performance.now();
      const answer = await ask(signal);
      latencies.add(performance.now() - begin);
      return answer;
    };
    const againAfterMs = Math.max(latencies.p95 ?? AGAIN_AFTER_MS, EARLIEST_AGAIN_MS);
    try {
      const answer = await hedged(attempt, { againAfterMs, timeoutMs: TIMEOUT_MS });
      breaker.worked();
      return answer;
    } catch (error) {
      breaker.failed();
      const reason = error instanceof Error ? error.name : 'unknown';
      this.#logger.warn({ node, reason }, 'a node does not give records');
      return undefined;
    }
  }

  #node(did: Did): KnownNode {
    const known = this.#nodes.get(did) ?? { breaker: new Breaker(), latencies: new Latencies() };
    this.#nodes.set(did, known);
    return known;
  }
}
