import {
  createGuardedFetch,
  type Did,
  type IdentityResolver,
  ProofError,
  type SigningKey,
} from '@stratos/protocol';
import { type Database, isUnstorable } from '../database.ts';
import type { Logger } from '../logger.ts';
import { LookupQueue } from '../lookups/lookup-queue.ts';
import { recurring } from '../lookups/recurring.ts';
import { resolveNode } from '../nodes/node-identity.ts';
import { FETCH_TIMEOUT_MS, MAX_REPO_BYTES, RepoFetchError } from './fetch-repo.ts';
import { resyncRepo } from './resync-repo.ts';

const SWEEP_MS = 1_000;
/** Nodes that are asked at the same time, each for one repo: what hanging ones can hold up at most. */
const CONCURRENCY = 4;
/** Repos of one node before others get their turn. */
const REPOS_PER_TURN = 50;
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
  readonly #opened = new AsyncDisposableStack();

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
        concurrency: CONCURRENCY,
        look: (nodeDid) => this.#turn(nodeDid),
        onError: (error, node) => logger.warn({ err: error, node }, 'repos cannot be fetched'),
      }),
    );
    this.#opened.defer(() => this.#stop.abort());
  }

  start(): void {
    const { logger } = this.#options;
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking for repos failed');
    this.#opened.use(recurring(SWEEP_MS, () => this.#sweep(), onError));
  }

  /** How many repos are to be fetched, other than of those who left. */
  async waiting(): Promise<number> {
    const [row] = await this.#options.db.$queryRaw<{ count: number }[]>`
      select count(*)::int as count from stratos_resync s
      join stratos_membership m on m.did = s.did and m.node_did = s.node_did and m.active`;
    return row?.count ?? 0;
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
  }

  async #turn(nodeDid: Did): Promise<void> {
    const { db, identity, appView, logger } = this.#options;
    try {
      const node = await resolveNode(identity, nodeDid);
      const source = { db, appView, node, fetch: this.#fetch, signal: this.#stop.signal };
      for (const did of await this.#due(nodeDid)) {
        if (this.#stop.signal.aborted) return;
        const isDone = await resyncRepo(source, did).catch((error) => {
          if (!isOfOneRepo(error)) throw error;
          logger.warn({ err: error, node: nodeDid, did }, 'a repo is refused');
          return false;
        });
        if (isDone) logger.debug({ node: nodeDid, did }, 'a repo is fetched anew');
      }
      this.#waits.delete(nodeDid);
    } catch (error) {
      const wait = Math.min((this.#waits.get(nodeDid)?.wait ?? 0) * 2, LONGEST_WAIT_MS);
      this.#postpone(nodeDid, wait || FIRST_WAIT_MS);
      throw error;
    }
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
