import { setTimeout as sleep } from 'node:timers/promises';
import type { Did, IdentityResolver } from '@stratos/protocol';
import { type Database, inTransaction, lockActorAtNode } from '../database.ts';
import type { Logger } from '../logger.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { findNode } from './node-identity.ts';

const SWEEP_MS = 1_000;
const URLS_PER_SWEEP = 20;
/** Of more, those that were tried longest ago come first. */
const MAX_OPEN_URLS = 1_000;
const FIRST_WAIT_MS = 1_000;

export interface NodeDiscoveryOptions {
  db: Database;
  identity: IdentityResolver;
  logger: Logger;
  /** Longest wait between two attempts at one URL. */
  maxRetryMs: number;
  onNode: (did: Did) => void;
}

/**
 * Finds the nodes behind the URLs of enrollment records. What cannot be reached is tried again, also
 * after a restart: the enrollments without a node are the list of what is left to do.
 */
export class NodeDiscovery implements AsyncDisposable {
  readonly #options: NodeDiscoveryOptions;
  readonly #stop = new AbortController();
  readonly #waits = new Map<string, { next: number; wait: number }>();
  #sweeping: Promise<void> | undefined;

  constructor(options: NodeDiscoveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sweeping = this.#sweepUntilStopped(this.#stop.signal);
  }

  /** The node behind a URL, now known to the database and followed; undefined if not to be found. */
  async find(serviceUrl: string): Promise<Did | undefined> {
    const { db, identity, logger, onNode } = this.#options;
    try {
      const { did, endpoint } = await findNode(identity, serviceUrl);
      await db.node.upsert({ where: { did }, create: { did, endpoint }, update: {} });
      this.#waits.delete(serviceUrl);
      onNode(did);
      return did;
    } catch (error) {
      logger.info({ err: error, serviceUrl }, 'no node is found for an enrollment');
      const wait = Math.min(this.#options.maxRetryMs, (this.#waits.get(serviceUrl)?.wait ?? 0) * 2);
      this.#postpone(serviceUrl, wait || FIRST_WAIT_MS);
      return undefined;
    }
  }

  #postpone(serviceUrl: string, wait: number): void {
    if (this.#waits.size > 2 * MAX_OPEN_URLS) this.#waits.clear();
    this.#waits.set(serviceUrl, { wait, next: Date.now() + wait });
  }

  async #sweepUntilStopped(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#sweep().catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, 'looking for nodes failed');
      });
      await sleep(SWEEP_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #sweep(): Promise<void> {
    const open = await this.#options.db.enrollment.groupBy({
      by: ['serviceUrl'],
      where: { nodeDid: null },
      _min: { lastChecked: true },
      orderBy: { _min: { lastChecked: 'asc' } },
      take: MAX_OPEN_URLS,
    });
    const due = open
      .map(({ serviceUrl }) => serviceUrl)
      .filter((url) => (this.#waits.get(url)?.next ?? 0) <= Date.now())
      .slice(0, URLS_PER_SWEEP);
    await Promise.all(due.map((url) => this.#settle(url)));
  }

  async #settle(serviceUrl: string): Promise<void> {
    const { db } = this.#options;
    const nodeDid = await this.find(serviceUrl);
    if (!nodeDid) {
      const where = { serviceUrl, nodeDid: null };
      await db.enrollment.updateMany({ where, data: { lastChecked: new Date() } });
      return;
    }
    const open = await db.enrollment.findMany({ where: { serviceUrl, nodeDid: null } });
    for (const { did, rkey } of open) {
      await inTransaction(db, async (tx) => {
        await lockActorAtNode(tx, did, nodeDid);
        const where = { did, rkey, serviceUrl, nodeDid: null };
        await tx.enrollment.updateMany({ where, data: { nodeDid, lastChecked: new Date() } });
        await refreshReaders(tx, did, nodeDid);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#sweeping;
  }
}
