import { Client } from 'pg';
import type { Logger } from '../logger.ts';

/** Where the indexer says that something has changed. */
const CHANNEL = 'stratos_change';
const RECONNECT_MS = 500;

/**
 * Calls `wake` when the indexer says that something has changed. Nobody may rely on it: a word can be lost
 * with the connection, which is made anew until it is disposed of.
 */
export class ChangeSignal implements AsyncDisposable {
  readonly #databaseUrl: string;
  readonly #logger: Logger;
  readonly #wake: () => void;
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(databaseUrl: string, { logger, wake }: { logger: Logger; wake: () => void }) {
    this.#databaseUrl = databaseUrl;
    this.#logger = logger;
    this.#wake = wake;
  }

  /** Never rejects: while Postgres cannot be reached, it is tried again. */
  async listen(): Promise<void> {
    const client = new Client({
      connectionString: this.#databaseUrl,
      application_name: 'stratos-gateway-live',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.#client = client;
    let isLost = false;
    const lose = (error?: Error) => {
      if (isLost || this.#isOver) return;
      isLost = true;
      this.#logger.warn({ reason: error?.name ?? 'closed' }, 'changes are not signalled');
      void client.end().catch(() => {});
      this.#retry = setTimeout(() => void this.listen(), RECONNECT_MS).unref();
    };
    client.on('error', lose).on('end', () => lose());
    client.on('notification', this.#wake);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.#wake();
    } catch (error) {
      lose(error instanceof Error ? error : undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#retry);
    await this.#client?.end().catch(() => {});
  }
}
