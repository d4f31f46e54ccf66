import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** An indexer that runs as operators run it: a process of its own, on its environment alone. */
export class IndexerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  /** Rejects with what it said when it ends before it runs. */
  static async start(env: Record<string, string>): Promise<IndexerProcess> {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new IndexerProcess(child, await portOf(child));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#port}${path}`);
  }

  async status<Status>(): Promise<Status> {
    return (await (await this.get('/status')).json()) as Status;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, and returns its exit code. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning) {
      const exit = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exit;
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGCONT');
    await this.stop('SIGTERM');
  }
}

/** Reads the log until the indexer says where it listens. */
function portOf(child: ChildProcess): Promise<number> {
  let said = '';
  const running = Promise.withResolvers<number>();
  child.stderr?.on('data', (text) => {
    said += text;
  });
  child.stdout?.on('data', (text) => {
    said += text;
    const port = /"port":(\d+)/.exec(said)?.[1];
    if (port) running.resolve(Number(port));
  });
  child.once('close', () => running.reject(new Error(said)));
  return running.promise;
}
