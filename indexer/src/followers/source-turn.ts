import type { Database } from '../database.ts';
import type { Logger } from '../logger.ts';
import { recurring } from '../lookups/recurring.ts';
import type { Presence } from './presence.ts';
import { claimSource, giveBackSource, hasSource, type SourceClaim } from './source-claims.ts';

const LOOK_MS = 1_000;

export interface SourceTurnOptions<Work> {
  db: Database;
  presence: Presence;
  source: string;
  begin: (claim: SourceClaim) => Promise<Work>;
  logger: Logger;
}

/** Does what one indexer alone is to do for a source, whenever it is this one's turn. */
export class SourceTurn<Work extends AsyncDisposable> implements AsyncDisposable {
  readonly #options: SourceTurnOptions<Work>;
  readonly #opened = new AsyncDisposableStack();
  #turn: { claim: SourceClaim; work: Work } | undefined;

  constructor(options: SourceTurnOptions<Work>) {
    this.#options = options;
  }

  /** Claims the source now, if nobody follows it, or else as soon as nobody does. */
  async start(): Promise<void> {
    const { logger } = this.#options;
    await this.#look();
    const onError = (error: unknown) => logger.warn({ err: error }, 'looking whose turn it is');
    this.#opened.defer(() => this.#end());
    this.#opened.use(recurring(LOOK_MS, () => this.#look(), onError));
  }

  /** What is being done, while it is this indexer's turn. */
  get work(): Work | undefined {
    return this.#turn?.work;
  }

  async #look(): Promise<void> {
    const { db, presence, source, begin, logger } = this.#options;
    if (this.#turn) {
      if (await hasSource(db, source, this.#turn.claim.fence)) return;
      logger.warn({ source }, 'another indexer has taken over the source');
      await this.#end();
    }
    const claim = await claimSource(db, presence.id, source);
    if (!claim) return;
    logger.info({ source, cursor: claim.cursor }, 'following the source');
    try {
      this.#turn = { claim, work: await begin(claim) };
    } catch (error) {
      await giveBackSource(db, source, claim.fence);
      throw error;
    }
  }

  async #end(): Promise<void> {
    const turn = this.#turn;
    if (!turn) return;
    this.#turn = undefined;
    await turn.work[Symbol.asyncDispose]();
    const { db, source } = this.#options;
    await giveBackSource(db, source, turn.claim.fence).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
