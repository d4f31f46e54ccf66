import { backoff } from '../backoff.ts';

/** Events of one person that wait before the person is summed up. */
const MAX_WAITING_PER_PERSON = 32;
/** Positions that are open at most, those of whom is summed up included. */
const MAX_OPEN = 100_000;

export interface QueuedEvent {
  did: string;
  seq: number;
  /** Bytes that are held in memory until it is done. */
  size: number;
  /** Settles the event, or rejects when it is to be tried again. */
  settle: () => Promise<void>;
}

export interface EventQueueOptions {
  /** Position up to which everything is settled. */
  startCursor: number;
  /** Events that are worked on at the same time; those of one person never are. */
  concurrency: number;
  /** Events, and their bytes, that wait at most before nothing more is taken. */
  maxWaiting: number;
  maxWaitingBytes: number;
  /** Longest wait before an event is tried again. */
  maxRetryMs: number;
  /** In place of the events of somebody who has more than fit: they are not looked at one by one. */
  sumUp: (did: string) => Promise<void>;
  onRetry: (error: unknown, did: string) => void;
}

interface Task {
  seqs: number[];
  size: number;
  settle: () => Promise<void>;
}

/**
 * Settles events by person, in order, as many as fit in memory. No person holds up another: each has
 * one event under way, and turns go round.
 */
export class EventQueue implements AsyncDisposable {
  readonly #options: EventQueueOptions;
  /** What is queued, by person; the first task of each may be under way. */
  readonly #tasks = new Map<string, Task[]>();
  readonly #ready: string[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Positions of what is not settled, oldest first. */
  readonly #open = new Set<number>();
  readonly #stop = new AbortController();
  #newest: number;
  #waiting = 0;
  #waitingBytes = 0;
  #roomAgain = Promise.withResolvers<void>();

  constructor(options: EventQueueOptions) {
    this.#options = options;
    this.#newest = options.startCursor;
  }

  /** Position up to which everything is settled. */
  get cursor(): number {
    const [oldest] = this.#open;
    return oldest === undefined ? this.#newest : oldest - 1;
  }

  /** Newest position that has arrived. */
  get newest(): number {
    return this.#newest;
  }

  /** Events that have arrived and are not settled. */
  get pending(): number {
    return this.#open.size;
  }

  /** Moves over an event that is nothing to us. */
  pass(seq: number): void {
    this.#newest = Math.max(this.#newest, seq);
  }

  /** Takes an event, unless it has come before. Resolves when there is room for another. */
  async add(event: QueuedEvent): Promise<void> {
    const { did, seq, size, settle } = event;
    if (seq <= this.#newest || this.#stop.signal.aborted) return;
    this.#newest = seq;
    this.#open.add(seq);
    const tasks = this.#tasks.get(did);
    const last = tasks?.at(-1);
    if (!tasks) {
      this.#tasks.set(did, [this.#hold({ seqs: [seq], size, settle })]);
      this.#ready.push(did);
    } else if (tasks.length < MAX_WAITING_PER_PERSON) {
      tasks.push(this.#hold({ seqs: [seq], size, settle }));
    } else if (last && tasks.length > MAX_WAITING_PER_PERSON) {
      last.seqs.push(seq);
    } else {
      const sumUp = () => this.#options.sumUp(did);
      tasks.push(this.#hold({ seqs: [seq], size: 0, settle: sumUp }));
    }
    this.#runReady();
    while (!this.#hasRoom && !this.#stop.signal.aborted) await this.#roomAgain.promise;
  }

  get #hasRoom(): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#options;
    return (
      this.#waiting < maxWaiting &&
      this.#waitingBytes < maxWaitingBytes &&
      this.#open.size < MAX_OPEN
    );
  }

  #hold(task: Task): Task {
    this.#waiting++;
    this.#waitingBytes += task.size;
    return task;
  }

  #runReady(): void {
    while (this.#running.size < this.#options.concurrency) {
      const did = this.#ready.shift();
      const task = did === undefined ? undefined : this.#tasks.get(did)?.[0];
      if (did === undefined || !task) return;
      const run = this.#run(did, task).finally(() => {
        this.#running.delete(run);
        this.#runReady();
      });
      this.#running.add(run);
    }
  }

  async #run(did: string, task: Task): Promise<void> {
    if (!(await this.#untilSettled(did, task))) return;
    for (const seq of task.seqs) this.#open.delete(seq);
    this.#waiting--;
    this.#waitingBytes -= task.size;
    const tasks = this.#tasks.get(did);
    tasks?.shift();
    if (tasks && tasks.length > 0) this.#ready.push(did);
    else this.#tasks.delete(did);
    this.#roomAgain.resolve();
    this.#roomAgain = Promise.withResolvers();
  }

  /** @returns false when it is left undone, for the next start */
  async #untilSettled(did: string, { settle }: Task): Promise<boolean> {
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await settle();
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        this.#options.onRetry(error, did);
      }
      await backoff(attempt, this.#options.maxRetryMs, signal);
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#ready.length = 0;
    this.#roomAgain.resolve();
    await Promise.all(this.#running);
  }
}
