import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keptFor } from '@stratos/protocol/telemetry';
import type { NodeContext } from '../context.ts';
import { freeBytes } from '../telemetry/free-bytes.ts';
import { overdueMs } from '../telemetry/node-gauges.ts';

const MEBIBYTE = 1024 * 1024;
/** Bytes below which a node takes no more. */
const FREE_FLOOR = 256 * MEBIBYTE;
/** Milliseconds for which a job may be due and not tried. */
const MAX_OVERDUE_MS = 15 * 60_000;
const CHECK_WITHIN_MS = 2_000;
/** Milliseconds for which an answer is given again, so that asking does not become work. */
const KEPT_MS = 1_000;
/** The same for the outbox, which takes longer to count the more waits. */
const OUTBOX_KEPT_MS = 30_000;

export interface ReadinessReport {
  status: 'ready' | 'not ready';
  /** For each check `ok`, or what is wrong. */
  checks: Record<string, string>;
}

export interface ReadinessOptions {
  freeFloor?: number;
  maxOverdueMs?: number;
}

type Checked = Pick<NodeContext, 'service' | 'config' | 'stopping' | 'logger'>;

/** Finds out whether a node can do its work. */
export class Readiness {
  readonly #ctx: Checked;
  readonly #checks: Record<string, () => Promise<string | undefined>>;
  readonly #report = keptFor(KEPT_MS, () => this.#check());

  constructor(ctx: Checked, options: ReadinessOptions = {}) {
    const { freeFloor = FREE_FLOOR, maxOverdueMs = MAX_OVERDUE_MS } = options;
    const { service, config } = ctx;
    const outbox = keptFor(OUTBOX_KEPT_MS, () => service.outbox.summary());
    this.#ctx = ctx;
    this.#checks = {
      database: async () => void (await service.events.head()),
      disk: async () =>
        (await freeBytes(config.dataDir)) < freeFloor
          ? `less than ${Math.round(freeFloor / MEBIBYTE)} MiB free`
          : undefined,
      storage: async () => void (await writeFile(join(config.dataDir, '.ready'), '')),
      outbox: async () =>
        overdueMs(await outbox()) > maxOverdueMs
          ? `jobs have been due for more than ${Math.round(maxOverdueMs / 60_000)} minutes`
          : undefined,
    };
  }

  /** At most a second old, except that stopping is seen at once. */
  async report(): Promise<ReadinessReport> {
    if (this.#ctx.stopping.aborted) return { status: 'not ready', checks: { node: 'stopping' } };
    return this.#report();
  }

  async #check(): Promise<ReadinessReport> {
    const results = await Promise.all(
      Object.entries(this.#checks).map(async ([name, check]) => [
        name,
        await this.#run(name, check),
      ]),
    );
    const checks: Record<string, string> = Object.fromEntries(results);
    const isReady = Object.values(checks).every((outcome) => outcome === 'ok');
    return { status: isReady ? 'ready' : 'not ready', checks };
  }

  async #run(name: string, check: () => Promise<string | undefined>): Promise<string> {
    const timeout = sleep(CHECK_WITHIN_MS, 'does not answer', { ref: false });
    try {
      return (await Promise.race([check(), timeout])) ?? 'ok';
    } catch (error) {
      this.#ctx.logger.error({ err: error, check: name }, 'a check of readiness failed');
      return 'fails';
    }
  }
}
