import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayLogin, startEmbeddedPostgres } from '@stratos/prisma';
import { generateDatabase, MILLION } from '@stratos/prisma/generated-database';

/** A generated database. */
export interface BenchDatabase {
  /** For its owner, whom row security does not concern. */
  url: string;
  /** For the role of the gateway. */
  gatewayUrl: string;
}

/** A Postgres in a folder of its own, for databases that are generated for a bench. */
export class BenchPostgres implements AsyncDisposable {
  readonly #postgres;
  readonly #opened: AsyncDisposableStack;

  private constructor(
    postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>,
    opened: AsyncDisposableStack,
  ) {
    this.#postgres = postgres;
    this.#opened = opened;
  }

  static async start(): Promise<BenchPostgres> {
    await using opened = new AsyncDisposableStack();
    const dataDir = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
    opened.defer(() => rm(dataDir, { recursive: true, force: true }));
    const postgres = opened.use(
      await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }),
    );
    return new BenchPostgres(postgres, opened.move());
  }

  /** As much of everything as goes with so many posts. */
  async generate(name: string, posts: number): Promise<BenchDatabase> {
    await this.#postgres.createDatabase(name);
    const url = this.#postgres.url(name);
    const share = posts / MILLION.posts;
    await generateDatabase(url, {
      posts,
      boundaries: Math.max(200, Math.ceil(MILLION.boundaries * share)),
      memberships: Math.max(5_000, Math.ceil(MILLION.memberships * share)),
      seed: MILLION.seed,
    });
    return withLogin(url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** Lets a gateway log in to a database, which takes the login from those that are running. */
export async function withLogin(url: string): Promise<BenchDatabase> {
  return { url, gatewayUrl: await createGatewayLogin(url, randomBytes(24).toString('base64url')) };
}
