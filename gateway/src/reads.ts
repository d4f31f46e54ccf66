import { DatabaseAwayError, type Prisma, ReadPool, type ReadPoolOptions } from '@stratos/prisma';
import type { Transaction } from '@stratos/prisma/queries';
import { ApiError } from '@stratos/schema';
import type { Logger } from './logger.ts';

export interface ReadsOptions extends ReadPoolOptions {
  logger: Logger;
}

/** Reads of the AppView database, which fail with `UNAVAILABLE` while it cannot be asked. */
export class Reads extends ReadPool {
  readonly #logger: Logger;
  #isAway = false;

  constructor(databaseUrl: string, { logger, ...options }: ReadsOptions) {
    super(databaseUrl, options);
    this.#logger = logger;
  }

  override snapshot<T>(action: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#orUnavailable(super.snapshot(action));
  }

  override $queryRaw<T = unknown>(query: Prisma.Sql): Promise<T> {
    return this.#orUnavailable(super.$queryRaw<T>(query));
  }

  async #orUnavailable<T>(reading: Promise<T>): Promise<T> {
    try {
      const read = await reading;
      if (this.#isAway) this.#logger.info('the database can be asked again');
      this.#isAway = false;
      return read;
    } catch (cause) {
      if (!(cause instanceof DatabaseAwayError)) throw cause;
      if (!this.#isAway) this.#logger.error({ reason: reasonOf(cause) }, cause.message);
      this.#isAway = true;
      throw new ApiError('UNAVAILABLE', 'The gateway cannot reach its database', { cause });
    }
  }
}

/** What the driver or Postgres calls it: a code where there is one. */
function reasonOf({ cause }: DatabaseAwayError): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
