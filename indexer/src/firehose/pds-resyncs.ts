import type { IdResolver } from '@atproto/identity';
import { toDid } from '@stratos/protocol';
import { recordRefusal } from '../applying/refusal.ts';
import { announce } from '../changes/announce.ts';
import { type Database, lockReaders, type Transaction } from '../database.ts';
import type { Logger } from '../logger.ts';
import { LookupQueue } from '../lookups/lookup-queue.ts';
import { recurring } from '../lookups/recurring.ts';
import { writeAccount } from './apply-account.ts';
import { type PdsSurroundings, writeEnrollments } from './apply-enrollment.ts';
import { replaceStubs } from './apply-stub.ts';
import { takeRevision } from './pds-revision.ts';
import { AccountAsideError, type PublicRecords, readPublicRecords } from './public-records.ts';

const SWEEP_MS = 1_000;
const CONCURRENCY = 8;
/** Attempts at somebody of whom there is no enrollment. Others are tried for as long as it takes. */
const ATTEMPTS_AT_STRANGERS = 10;
const FIRST_RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 600;

/** Somebody whose records are to be read, for the so many-th time that it was asked. */
interface Task {
  did: string;
  asked: number;
}

export interface PdsResyncsOptions extends PdsSurroundings {
  db: Database;
  /** Address of the firehose. */
  source: string;
  ids: IdResolver;
  fetch: typeof globalThis.fetch;
  logger: Logger;
}

/**
 * Reads the public records of people of whom the firehose does not say, or does not prove, what they
 * are now. The table is the list of what is left to do.
 */
export class PdsResyncs implements AsyncDisposable {
  readonly #options: PdsResyncsOptions;
  readonly #queue: LookupQueue<string>;
  readonly #stop = new AbortController();
  readonly #opened = new AsyncDisposableStack();

  constructor(options: PdsResyncsOptions) {
    this.#options = options;
    const { logger } = options;
    this.#queue = this.#opened.use(
      new LookupQueue({
        concurrency: CONCURRENCY,
        look: (did) => this.#resync(did),
        onError: (error, did) => logger.warn({ err: error, did }, 'public records are not read'),
      }),
    );
    this.#opened.defer(() => this.#stop.abort());
  }

  start(): void {
    const { logger } = this.#options;
    const onError = (error: unknown) =>
      logger.warn({ err: error }, 'looking for PDS resyncs failed');
    this.#opened.use(recurring(SWEEP_MS, () => this.#sweep(), onError));
  }

  /** Reads somebody's records as soon as it is their turn. */
  soon(did: string): void {
    this.#queue.add(did);
  }

  async #sweep(): Promise<void> {
    if (this.#queue.room <= 0) return;
    const due = await this.#options.db.pdsResync.findMany({
      select: { did: true },
      where: { dueAt: { lte: new Date() } },
      orderBy: [{ failures: 'asc' }, { dueAt: 'asc' }],
      take: this.#queue.room,
    });
    for (const { did } of due) this.#queue.add(did);
  }

  async #resync(did: string): Promise<void> {
    const { db, ids, fetch, lookups, write } = this.#options;
    const task = await db.pdsResync.findUnique({ where: { did } });
    if (!task || task.dueAt > new Date()) return;
    try {
      const source = { ids, fetch, signal: this.#stop.signal };
      const records = await readPublicRecords(source, toDid(did));
      await write((tx) => this.#noteAccount(tx, task, true));
      const open = await write(async (tx) => {
        const found = await this.#replace(tx, did, records);
        if (found) await tx.pdsResync.deleteMany({ where: { did, asked: task.asked } });
        return found ?? [];
      });
      for (const serviceUrl of open) lookups.findNode(serviceUrl);
      if (records.enrollments.size > 0) lookups.findHandle(did);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (error instanceof AccountAsideError) {
        await write((tx) => this.#noteAccount(tx, task, false));
      }
      await write((tx) => this.#postpone(tx, did, task.failures));
      throw error;
    }
  }

  /** Takes over whether an account is in use, unless the firehose has told of it since. */
  async #noteAccount(tx: Transaction, task: Task, active: boolean): Promise<void> {
    const { did, asked } = task;
    const [same] = await tx.$queryRaw<unknown[]>`
      select from stratos_pds_resync where did = ${did} and asked = ${asked} for update`;
    if (same) await writeAccount(tx, { did, active });
  }

  /**
   * Makes what is stored agree with what was read.
   *
   * @returns undefined when the firehose has told newer things since
   */
  async #replace(
    tx: Transaction,
    did: string,
    { rev, enrollments, stubs }: PublicRecords,
  ): Promise<string[] | undefined> {
    const isNew = enrollments.size > 0;
    if (!(await takeRevision(tx, did, rev, { isNew }))) return undefined;
    const stored = await tx.enrollment.findMany({ select: { rkey: true }, where: { did } });
    const gone = stored.map(({ rkey }) => [rkey, undefined] as const);
    const records = new Map([...gone, ...enrollments]);
    await lockNodesOf(tx, did);
    const changes = stubs ? await replaceStubs(tx, { did, rev, stubs }) : [];
    const open = await writeEnrollments(tx, this.#options.lookups, { did, rev, records });
    await announce(tx, changes);
    return open;
  }

  async #postpone(tx: Transaction, did: string, failures: number): Promise<void> {
    const isStranger = (await tx.enrollment.count({ where: { did } })) === 0;
    if (isStranger && failures + 1 >= ATTEMPTS_AT_STRANGERS) {
      await tx.pdsResync.deleteMany({ where: { did } });
      await recordRefusal(tx, { source: this.#options.source, did, reason: 'unproven' });
      return;
    }
    const seconds = Math.min(FIRST_RETRY_SECONDS * 2 ** failures, LONGEST_RETRY_SECONDS);
    const dueAt = new Date(Date.now() + seconds * 1000);
    await tx.pdsResync.updateMany({ where: { did }, data: { dueAt, failures: failures + 1 } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/**
 * Before anything is announced, as whoever waits for one of these may be waited for by who announces. In one
 * order for everybody.
 */
async function lockNodesOf(tx: Transaction, did: string): Promise<void> {
  const nodes = await tx.$queryRaw<{ nodeDid: string }[]>`
    select node_did as "nodeDid" from stratos_stub where did = ${did}
    union select node_did from stratos_enrollment where did = ${did} and node_did is not null
    order by 1`;
  for (const { nodeDid } of nodes) await lockReaders(tx, [did], nodeDid);
}
