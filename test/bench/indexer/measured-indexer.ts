import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrismaClient, type EmbeddedDatabase, migrate } from '@stratos/prisma';
import { Client } from 'pg';
import { Child } from '../child.ts';
import { ENROLLMENT_RKEY } from './stub-firehose.ts';
import type { StubDescription, StubPlan } from './stub-process.ts';

/** As the service should be run: what lives long is little. */
const HEAP_FLAGS = ['--max-semi-space-size=16'];

export interface BenchOptions {
  postgres: EmbeddedDatabase;
  plan: StubPlan;
  /** Leaves a profile of the indexer in this folder. */
  profile?: string | undefined;
}

/** Nodes that were prepared, an empty database that knows of them, and an indexer that can be started. */
export class Bench implements AsyncDisposable {
  readonly stub: Child;
  readonly described: StubDescription;
  readonly sql: Client;
  readonly #url: string;
  readonly #flags: readonly string[];
  readonly #opened: AsyncDisposableStack;

  private constructor(
    parts: { stub: Child; described: StubDescription; sql: Client; url: string },
    flags: readonly string[],
    opened: AsyncDisposableStack,
  ) {
    this.stub = parts.stub;
    this.described = parts.described;
    this.sql = parts.sql;
    this.#url = parts.url;
    this.#flags = flags;
    this.#opened = opened;
  }

  static async prepare({ postgres, plan, profile }: BenchOptions): Promise<Bench> {
    await using opened = new AsyncDisposableStack();
    const module = new URL('./stub-process.ts', import.meta.url);
    const stub = opened.use(await Child.start(module, { args: [JSON.stringify(plan)] }));
    const described: StubDescription = await (await fetch(stub.url)).json();
    const name = `bench_${process.hrtime.bigint()}`;
    await postgres.createDatabase(name);
    const url = postgres.url(name);
    await migrate(url);
    await introduce(url, described);
    const sql = new Client(url);
    await sql.connect();
    opened.defer(() => sql.end());
    const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
    return new Bench({ stub, described, sql, url }, flags, opened.move());
  }

  /** Starts the indexer; whoever does so ends it. */
  async start(): Promise<Child> {
    const folder = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
    return Child.start(new URL('./indexer-process.ts', import.meta.url), {
      flags: [...HEAP_FLAGS, ...this.#flags],
      onEnd: () => rm(folder, { recursive: true }),
      env: {
        LOG_LEVEL: 'error',
        DATABASE_URL: this.#url,
        APPVIEW_DID: 'did:web:localhost%3A4000',
        APPVIEW_KEY_FILE: join(folder, 'appview.key'),
        INDEXER_FIREHOSE_URL: this.described.firehose,
        INDEXER_PORT: '0',
        INDEXER_MAX_NODES: String(this.described.nodes.length),
        STRATOS_DEV_MODE: 'true',
        STRATOS_PLC_URL: this.described.firehose,
      },
    });
  }

  /** The one number that a statement gives. */
  async number(statement: string): Promise<number> {
    const { rows } = await this.sql.query<Record<string, unknown>>(statement);
    return Number(Object.values(rows[0] ?? {})[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

/** What a firehose would have told: the nodes, and who has enrolled. */
async function introduce(url: string, { nodes, people, boundary }: StubDescription): Promise<void> {
  const db = createPrismaClient(url, { poolSize: 2 });
  await db.node.createMany({
    data: nodes.map(({ did, url: endpoint }) => ({ did, endpoint })),
  });
  const [node] = nodes;
  await db.actor.createMany({ data: people.map(({ did }) => ({ did })) });
  await db.enrollment.createMany({
    data: people.map(({ did, signingKey }) => ({
      did,
      rkey: ENROLLMENT_RKEY,
      serviceUrl: node?.url ?? '',
      nodeDid: node?.did ?? '',
      signingKey,
      boundaries: [boundary],
      enrolledAt: new Date(),
      rev: '3l3qo2vutsw2b',
    })),
  });
  await db.$disconnect();
}
