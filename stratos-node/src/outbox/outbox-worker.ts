import { setTimeout as sleep } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import PQueue from 'p-queue';
import type { Logger } from '../logger.ts';
import type { OutboxHead, OutboxJob, ServiceStorage } from '../storage/service-storage.ts';
import { PdsError } from './pds-repo.ts';

/** Carries out one job. Throws {@link PdsError}; must be safe to repeat. */
export type RunJob = (did: Did, job: OutboxJob) => Promise<void>;

export interface OutboxWorkerOptions {
  service: Pick<ServiceStorage, 'outbox'>;
  run: RunJob;
  logger: Logger;
  /** People served at once. */
  concurrency?: number;
  /** Of those, people of one PDS. */
  concurrencyPerPds?: number;
  /** Wait after the first failure; it doubles with each further one. */
  firstRetryMs?: number;
}

const LONGEST_RETRY_MS = 5 * 60_000;
const HEADS_PER_SCAN = 100;
const LONGEST_SLEEP_MS = 60_000;
/** How long a person is left alone whom another process serves, or whose jobs cannot be read. */
const LEAVE_ALONE_MS = 5_000;
const SCAN_AGAIN_MS = 1_000;
/** Between two looks at the outbox, as under load each write asks for one. */
const SCANS_APART_MS = 20;
/** What a job that is under way gets when the node stops; it will be done again. */
const STOP_WITHIN_MS = 3_000;

/**
 * Does the jobs of the outbox: one at a time and in order for each person, people side by side. A
 * PDS that is slow or dead holds up its own people alone. Jobs outlive the process.
 */
export class OutboxWorker implements AsyncDisposable {
  readonly #options: Required<OutboxWorkerOptions>;
  readonly #queue: PQueue;
  readonly #busy = new Map<Did, string>();
  readonly #leftAlone = new Map<Did, number>();
  readonly #settling = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  #scannedAt = 0;
  #stopped = true;

  constructor(options: OutboxWorkerOptions) {
    this.#options = { concurrency: 32, concurrencyPerPds: 4, firstRetryMs: 1_000, ...options };
    this.#queue = new PQueue({ concurrency: this.#options.concurrency });
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Looks for jobs now. To be called after some were added. */
  wake(): void {
    if (this.#stopped) return;
    this.#scanAgain = true;
    this.#scanning ??= this.#scan()
      .catch((error) => {
        this.#options.logger.error({ err: error }, 'the outbox cannot be read');
        this.#wakeIn(SCAN_AGAIN_MS);
      })
      .finally(() => {
        this.#scanning = undefined;
        if (this.#scanAgain) this.wake();
      });
  }

  /** Resolves once a person has no jobs left, or after `timeoutMs`, whichever is first. */
  async settled(did: Did, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (Date.now() < deadline && !this.#stopped) {
      const { promise: progress, resolve } = Promise.withResolvers<void>();
      this.#settling.add(resolve);
      try {
        const head = await this.#options.service.outbox.head(did);
        if (!head || head.parkedReason !== null) return;
        await Promise.race([progress, sleep(deadline - Date.now(), undefined, { ref: false })]);
      } finally {
        this.#settling.delete(resolve);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#clearTimer();
    this.#queue.clear();
    this.#reportProgress();
    await this.#scanning;
    await Promise.race([this.#queue.onIdle(), sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
  }

  async #scan(): Promise<void> {
    while (this.#scanAgain && !this.#stopped) {
      // @NOTE many wake it meanwhile, and one look does for all of them
      await sleep(Math.max(0, this.#scannedAt + SCANS_APART_MS - performance.now()));
      this.#scannedAt = performance.now();
      this.#scanAgain = false;
      this.#clearTimer();
      while (await this.#startSome());
    }
  }

  /** Starts with people whose turn it is. True if there may be more of them. */
  async #startSome(): Promise<boolean> {
    const { service, concurrency } = this.#options;
    const people = [...this.#busy.keys(), ...this.#peopleLeftAlone()];
    const heads = await service.outbox.heads(HEADS_PER_SCAN, { people, pdses: this.#fullPdses() });
    let hasStarted = false;
    for (const { did, dueAt, pdsEndpoint } of heads) {
      const wait = dueAt - Date.now();
      if (wait > 0) {
        this.#wakeIn(wait);
        return false;
      }
      if (this.#busy.size >= concurrency || this.#stopped) return false;
      if (this.#fullPdses().includes(pdsEndpoint)) continue;
      this.#start(did, pdsEndpoint);
      hasStarted = true;
    }
    return hasStarted && heads.length === HEADS_PER_SCAN;
  }

  #fullPdses(): string[] {
    const people = Map.groupBy(this.#busy.values(), (pds) => pds);
    const isFull = (pds: string) =>
      (people.get(pds)?.length ?? 0) >= this.#options.concurrencyPerPds;
    return [...people.keys()].filter(isFull);
  }

  #start(did: Did, pds: string): void {
    this.#busy.set(did, pds);
    const served = this.#queue.add(() => this.#serve(did));
    void served.finally(() => {
      this.#busy.delete(did);
      this.wake();
    });
  }

  /** Those whom another process serves, as far as is known. */
  #peopleLeftAlone(): Did[] {
    const now = Date.now();
    for (const [did, until] of this.#leftAlone) if (until <= now) this.#leftAlone.delete(did);
    if (this.#leftAlone.size > 0) this.#wakeIn(Math.min(...this.#leftAlone.values()) - now);
    return [...this.#leftAlone.keys()];
  }

  /** Wakes after `wait`, or earlier if that was asked for. */
  #wakeIn(wait: number): void {
    const at = Date.now() + Math.min(wait, LONGEST_SLEEP_MS);
    if (this.#stopped || at >= this.#wakesAt) return;
    this.#clearTimer();
    this.#wakesAt = at;
    this.#timer = setTimeout(
      () => {
        this.#clearTimer();
        this.wake();
      },
      Math.max(0, at - Date.now()),
    );
    this.#timer.unref();
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#wakesAt = Number.POSITIVE_INFINITY;
  }

  /** Does a person's jobs until none is left or one has to wait. */
  async #serve(did: Did): Promise<void> {
    const { service, logger } = this.#options;
    try {
      await using claim = await service.outbox.claim(did);
      if (!claim) {
        this.#leftAlone.set(did, Date.now() + LEAVE_ALONE_MS);
        return;
      }
      let head = await service.outbox.head(did);
      while (head && head.parkedReason === null && head.dueAt <= Date.now() && !this.#stopped) {
        head = await this.#attempt(head);
        this.#reportProgress();
      }
    } catch (error) {
      this.#leftAlone.set(did, Date.now() + LEAVE_ALONE_MS);
      logger.error({ err: error, did }, 'the outbox failed');
    }
  }

  /** The job after it; undefined if that has to wait. */
  async #attempt(head: OutboxHead): Promise<OutboxHead | undefined> {
    const { service, run, logger } = this.#options;
    const { id, did, job, attempts } = head;
    try {
      await run(did, job);
      return await service.outbox.done(head);
    } catch (error) {
      if (error instanceof PdsError && !error.isTransient) {
        logger.warn({ err: error, did, kind: job.kind }, 'an outbox job is parked');
        await service.outbox.park(id, error.message);
        return undefined;
      }
      const wait = Math.max(
        this.#backoff(attempts),
        error instanceof PdsError ? (error.retryAfterMs ?? 0) : 0,
      );
      logger.warn(
        { err: error, did, kind: job.kind, attempts, wait },
        'an outbox job will be tried again',
      );
      await service.outbox.retry(id, attempts + 1, Date.now() + Math.min(wait, LONGEST_RETRY_MS));
      return undefined;
    }
  }

  #backoff(attempts: number): number {
    const base = Math.min(this.#options.firstRetryMs * 2 ** attempts, LONGEST_RETRY_MS);
    return base * (0.5 + Math.random() / 2);
  }

  #reportProgress(): void {
    for (const resolve of this.#settling) resolve();
  }
}
