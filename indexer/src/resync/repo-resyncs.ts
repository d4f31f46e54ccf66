import {
  createGuardedFetch,
  type Did,
  type IdentityResolver,
  ProofError,
  type SigningKey,
} from '@stratos/protocol';
import PQueue from 'p-queue';
import { type Database, isUnstorable } from '../database.ts';
import type { Logger } from '../logger.ts';
import { LookupQueue } from '../lookups/lookup-queue.ts';
import { type Recurring, recurring } from '../lookups/recurring.ts';
import { type NodeIdentity, resolveNode } from '../nodes/node-identity.ts';
import { noTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { FETCH_TIMEOUT_MS, MAX_REPO_BYTES, RepoFetchError } from './fetch-repo.ts';
import { ProgressBar } from './progress-bar.ts';
import { ResyncMeter, type ResyncProgress } from './resync-progress.ts';
import { resyncRepo } from './resync-repo.ts';

const SWEEP_MS = 1_000;
/** Nodes that are asked at the same time: what hanging ones can hold up at most. */
const NODES_AT_ONCE = 8;
/** Repos of one node at the same time, once it has sent a first one. */
const REPOS_AT_ONCE = 2;
/** Repos of one node before others get their turn. */
const REPOS_PER_TURN = 50;
/** Repos that are checked and written at the same time, and large ones among them. */
const WRITTEN_AT_ONCE = 3;
const LARGE_AT_ONCE = 1;
/** Bytes from which on a repo is large: its proof is in memory while it is written. */
const LARGE_BYTES = 16 * 1024 * 1024;
/** Milliseconds for which a node that does not answer is left alone; doubled each time. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10 * 60_000;

export interface RepoResyncsOptions {
  db: Database;
  identity: IdentityResolver;
  appView: { did: Did; key: SigningKey };
  devMode: boolean;
  logger: Logger;
  /** Whether the operator lets a node be followed. */
  mayFollow: (did: Did) => boolean;
  telemetry?: Telemetry;
}

/**
 * Fetches the repos that were asked for, beside the streams. The table is the list of what is left to
 * do, so that a restart loses nothing.
 */
export class RepoResyncs implements AsyncDisposable {
  readonly #options: RepoResyncsOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #waits = new Map<Did, { next: number; wait: number }>();
  readonly #stop = new AbortController();
  readonly #queue: LookupQueue<Did>;
  readonly #written = new PQueue({ concurrency: WRITTEN_AT_ONCE });
  readonly #large = new PQueue({ concurrency: LARGE_AT_ONCE });
  readonly #meter = new ResyncMeter();
  readonly #opened = new AsyncDisposableStack();
  readonly #bar = this.#opened.use(new ProgressBar());
  #sweeps: Recurring | undefined;

  constructor(options: RepoResyncsOptions) {
    this.#options = options;
    const { devMode, logger } = options;
    this.#fetch = createGuardedFetch({
      devMode,
      maxBytes: MAX_REPO_BYTES,
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    this.#queue = this.#opened.use(
      new LookupQueue({
        concurrency: NODES_AT_ONCE,
        look: (nodeDid) => this.#turn(nodeDid),
        onError: (error, node) => logger.warn({ err: error, node }, 'repos cannot be fetched'),
      }),
    );
    this.#opened.defer(() => this.#stop.abort());
  }

  start(): void {
    const { logger } = this.#options;
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking for repos failed');
    this.#sweeps = this.#opened.use(recurring(SWEEP_MS, () => this.#sweep(), onError));
  }

  /** How many repos are to be fetched, other than of those who left. */
  async waiting(): Promise<number> {
    const [row] = await this.#options.db.$queryRaw<{ count: number }[]>`
      select count(*)::int as count from stratos_resync s
      join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active`;
    return row?.count ?? 0;
  }

  async progress(): Promise<ResyncProgress> {
    return this.#meter.progress(await this.waiting());
  }

  async #sweep(): Promise<void> {
    const due = await this.#options.db.$queryRaw<{ node_did: Did }[]>`
      select s.node_did from stratos_resync s
      join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active
      where s.due_at <= now() group by s.node_did`;
    for (const { node_did: nodeDid } of due) {
      const wait = this.#waits.get(nodeDid);
      if (this.#options.mayFollow(nodeDid) && (wait?.next ?? 0) <= Date.now()) {
        this.#queue.add(nodeDid);
      }
    }
    this.#bar.show(await this.progress());
  }

  async #turn(nodeDid: Did): Promise<void> {
    try {
      const node = await resolveNode(this.#options.identity, nodeDid);
      const [first, ...others] = await this.#due(nodeDid);
      // @NOTE a node that does not send a first one is not asked for more
      if (first) await this.#take(node, first);
      const next = others.values();
      let hasFailed = false;
      const worker = async () => {
        for (const did of next) {
          if (hasFailed || this.#stop.signal.aborted) return;
          await this.#take(node, did).catch((error) => {
            hasFailed = true;
            throw error;
          });
        }
      };
      const workers = await Promise.allSettled(Array.from({ length: REPOS_AT_ONCE }, worker));
      for (const each of workers) if (each.status === 'rejected') throw each.reason;
      this.#waits.delete(nodeDid);
      if (others.length + 1 === REPOS_PER_TURN) this.#sweeps?.soon();
    } catch (error) {
      const wait = Math.min((this.#waits.get(nodeDid)?.wait ?? 0) * 2, LONGEST_WAIT_MS);
      this.#postpone(nodeDid, wait || FIRST_WAIT_MS);
      throw error;
    }
  }

  async #take(node: NodeIdentity, did: Did): Promise<void> {
    const { db, appView, logger, telemetry = noTelemetry } = this.#options;
    try {
      const source = {
        ...{ db, appView, node, fetch: this.#fetch, signal: this.#stop.signal },
        inTurn: <T>(bytes: number, work: () => Promise<T>) => this.#inTurn(bytes, work),
      };
      const { isDone, records } = await telemetry.fetch(node.did, () => resyncRepo(source, did));
      if (!isDone) return;
      this.#meter.add(records);
      logger.debug({ node: node.did, did, records }, 'a repo is fetched anew');
    } catch (error) {
      if (!isOfOneRepo(error)) throw error;
      logger.warn({ err: error, node: node.did, did }, 'a repo is refused');
    }
  }

  async #inTurn<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const inTurn = () => this.#written.add(work);
    return bytes < LARGE_BYTES ? inTurn() : this.#large.add(inTurn);
  }

  #postpone(nodeDid: Did, wait: number): void {
    this.#waits.set(nodeDid, { wait, next: Date.now() + wait });
  }

  async #due(nodeDid: Did): Promise<Did[]> {
    const rows = await this.#options.db.$queryRaw<{ did: Did }[]>`
      select s.did from stratos_resync s
      join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active
      where s.node_did = ${nodeDid} and s.due_at <= now()
      order by s.failures, s.due_at limit ${REPOS_PER_TURN}`;
    return rows.map(({ did }) => did);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Whether other repos of the node may well fare better. */
function isOfOneRepo(error: unknown): boolean {
  if (error instanceof RepoFetchError) return error.isMissing;
  return error instanceof ProofError || isUnstorable(error);
}
