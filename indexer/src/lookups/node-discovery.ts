import type { Did, IdentityResolver } from '@stratos/protocol';
import { type Database, inTransaction, lockReaders, type Transaction } from '../database.ts';
import type { Logger } from '../logger.ts';
import { findNode, NodeIdentityError } from '../nodes/node-identity.ts';
import { refreshReaders } from '../visibility/readers.ts';
import { LookupQueue } from './lookup-queue.ts';
import { recurring } from './recurring.ts';

const SWEEP_MS = 1_000;
/** Of more, those that were tried longest ago come first. */
const MAX_OPEN_URLS = 1_000;
const FIRST_WAIT_MS = 1_000;
const CONCURRENCY = 16;
/** Milliseconds for which what a URL was found to be is taken as it was. */
const FOUND_FOR_MS = 10 * 60_000;
const MAX_FOUND = 10_000;

export interface NodeDiscoveryOptions {
  db: Database;
  identity: IdentityResolver;
  logger: Logger;
  /** Longest wait between two attempts at one URL. */
  maxRetryMs: number;
  /** Whether the operator lets a node be followed. */
  mayFollow: (did: Did) => Promise<boolean>;
  /** Called when there is a node that was not there before. */
  onNode: () => void;
}

/**
 * Finds the nodes behind the URLs of enrollment records. What cannot be reached is tried again, also
 * after a restart: the enrollments without a node are the list of what is left to do.
 */
export class NodeDiscovery implements AsyncDisposable {
  readonly #options: NodeDiscoveryOptions;
  readonly #waits = new Map<string, { next: number; wait: number }>();
  readonly #found = new Map<string, { did: Did; until: number }>();
  readonly #queue: LookupQueue<string>;
  readonly #opened = new AsyncDisposableStack();

  constructor(options: NodeDiscoveryOptions) {
    this.#options = options;
    const { logger } = options;
    this.#queue = this.#opened.use(
      new LookupQueue({
        concurrency: CONCURRENCY,
        look: (serviceUrl) => this.#settle(serviceUrl),
        onError: (error) => logger.warn({ err: error }, 'looking for a node failed'),
      }),
    );
  }

  start(): void {
    const { logger } = this.#options;
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking for nodes failed');
    this.#opened.use(recurring(SWEEP_MS, () => this.#sweep(), onError));
  }

  /** The node that was found behind a URL not long ago. Asks nobody. */
  knownNode(serviceUrl: string): Did | undefined {
    const found = this.#found.get(serviceUrl);
    return found && found.until > Date.now() ? found.did : undefined;
  }

  /** Looks for the node behind a URL as soon as it is its turn. */
  soon(serviceUrl: string): void {
    this.#queue.add(serviceUrl);
  }

  async #sweep(): Promise<void> {
    const open = await this.#options.db.enrollment.groupBy({
      by: ['serviceUrl'],
      where: { nodeDid: null },
      _min: { lastChecked: true },
      orderBy: { _min: { lastChecked: 'asc' } },
      take: MAX_OPEN_URLS,
    });
    for (const { serviceUrl } of open) {
      if ((this.#waits.get(serviceUrl)?.next ?? 0) <= Date.now()) this.#queue.add(serviceUrl);
    }
  }

  async #settle(serviceUrl: string): Promise<void> {
    const { db } = this.#options;
    const nodeDid = await this.#find(serviceUrl);
    if (!nodeDid) {
      const where = { serviceUrl, nodeDid: null };
      await db.enrollment.updateMany({ where, data: { lastChecked: new Date() } });
      return;
    }
    const open = await db.enrollment.findMany({ where: { serviceUrl, nodeDid: null } });
    for (const { did, rkey } of open) {
      await inTransaction(db, (tx) => writeFoundNode(tx, { did, rkey, serviceUrl, nodeDid }));
    }
  }

  /** The node behind a URL, now known to the database and followed; undefined if not to be found. */
  async #find(serviceUrl: string): Promise<Did | undefined> {
    const { db, identity, logger, mayFollow, onNode } = this.#options;
    try {
      const { did, endpoint } = await findNode(identity, serviceUrl);
      if (!(await mayFollow(did)))
        throw new NodeIdentityError('the operator does not take the node');
      await db.node.upsert({ where: { did }, create: { did, endpoint }, update: {} });
      this.#waits.delete(serviceUrl);
      if (this.#found.size >= MAX_FOUND) this.#found.clear();
      this.#found.set(serviceUrl, { did, until: Date.now() + FOUND_FOR_MS });
      onNode();
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Notes which node is behind the URL of an enrollment, if that is still there and has none. */
export async function writeFoundNode(
  tx: Transaction,
  { nodeDid, ...enrollment }: { did: string; rkey: string; serviceUrl: string; nodeDid: Did },
): Promise<void> {
  const { did } = enrollment;
  await lockReaders(tx, [did], nodeDid);
  const where = { ...enrollment, nodeDid: null };
  await tx.enrollment.updateMany({ where, data: { nodeDid, lastChecked: new Date() } });
  await refreshReaders(tx, did, nodeDid);
}
