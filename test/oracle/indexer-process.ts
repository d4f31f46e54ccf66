import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 10;

/** An indexer as in production, that can be killed and started again. */
export class IndexerProcess implements AsyncDisposable {
  readonly #script: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  /** The last that it said. */
  #said = '';

  constructor(script: string, env: Record<string, string>) {
    this.#script = script;
    this.#env = env;
  }

  get lastWords(): string {
    return this.#said.slice(-2_000);
  }

  /** Again when it ends by itself, as whatever watches over it in production would. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#startOnce();
      } catch (error) {
        const isKilled = this.#child?.signalCode !== null;
        if (isKilled || attempt === ATTEMPTS) throw error;
      }
      await sleep(500);
    }
  }

  async #startOnce(): Promise<void> {
    const child = spawn(process.execPath, [this.#script], {
      env: { PATH: process.env['PATH'] ?? '', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const listening = Promise.withResolvers<void>();
    const hear = (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-20_000);
      if (this.#said.includes('"port"')) listening.resolve();
    };
    this.#said = '';
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('close', () => listening.reject(new Error(`the indexer ended: ${this.lastWords}`)));
    await listening.promise;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
