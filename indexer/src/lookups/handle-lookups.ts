import { type Did, type IdentityResolver, toDid } from '@stratos/protocol';
import type { Database } from '../database.ts';
import type { Logger } from '../logger.ts';
import { LookupQueue } from './lookup-queue.ts';
import { recurring } from './recurring.ts';

const SWEEP_MS = 1_000;
const CONCURRENCY = 16;
/** Milliseconds until a handle that cannot be verified is looked up again; doubled each time. */
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 24 * 60 * 60_000;

export interface HandleLookupsOptions {
  db: Database;
  identity: IdentityResolver;
  logger: Logger;
}

/**
 * Looks up the handles of people whose row says that it is due, new ones before those that failed. A
 * handle that cannot be verified is none.
 */
export class HandleLookups implements AsyncDisposable {
  readonly #options: HandleLookupsOptions;
  readonly #queue: LookupQueue<Did>;
  readonly #opened = new AsyncDisposableStack();

  constructor(options: HandleLookupsOptions) {
    this.#options = options;
    const { logger } = options;
    this.#queue = this.#opened.use(
      new LookupQueue({
        concurrency: CONCURRENCY,
        look: (did) => this.#look(did),
        onError: (error, did) => logger.warn({ err: error, did }, 'a handle is not looked up'),
      }),
    );
  }

  start(): void {
    const { logger } = this.#options;
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking for handles failed');
    this.#opened.use(recurring(SWEEP_MS, () => this.#sweep(), onError));
  }

  /** Looks somebody's handle up as soon as it is their turn, if it is due. */
  soon(did: string): void {
    this.#queue.add(toDid(did));
  }

  async #sweep(): Promise<void> {
    if (this.#queue.room <= 0) return;
    const due = await this.#options.db.actor.findMany({
      select: { did: true },
      where: { handleDueAt: { lte: new Date() } },
      orderBy: [{ handleFailures: 'asc' }, { handleDueAt: 'asc' }],
      take: this.#queue.room,
    });
    for (const { did } of due) this.soon(did);
  }

  async #look(did: Did): Promise<void> {
    const { db, identity } = this.#options;
    const actor = await db.actor.findUnique({ where: { did } });
    if (!actor?.handleDueAt || actor.handleDueAt > new Date()) return;
    const handle = await verifiedHandle(identity, did);
    const wait = Math.min(FIRST_RETRY_MS * 2 ** actor.handleFailures, LONGEST_RETRY_MS);
    const data = handle
      ? { handle, handleDueAt: null, handleFailures: 0 }
      : {
          handle: null,
          handleDueAt: new Date(Date.now() + wait),
          handleFailures: { increment: 1 },
        };
    // @NOTE news that came in the meantime make it due again, and must not be overwritten
    await db.actor.updateMany({ where: { did, handleDueAt: actor.handleDueAt }, data });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

async function verifiedHandle(identity: IdentityResolver, did: Did): Promise<string | undefined> {
  try {
    await identity.didDocument(did, { refresh: true });
    return await identity.verifiedHandle(did);
  } catch {
    return undefined;
  }
}
