import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What a measured process used up to now. */
export interface Usage {
  /** Of the processor, in milliseconds. */
  cpu: number;
  /** Resident memory in MB. */
  rss: number;
}

export type Message = { port: number } | Usage;

export interface ChildOptions {
  args?: readonly string[];
  /** Flags of node. */
  flags?: readonly string[];
  env?: Record<string, string>;
  /** Called when the process has ended. */
  onEnd?: () => Promise<void>;
}

/** A process of its own that listens on a port of its choice and says what it uses when asked. */
export class Child implements AsyncDisposable {
  readonly url: URL;
  readonly #process: ChildProcess;
  readonly #onEnd: () => Promise<void>;

  private constructor(url: URL, process: ChildProcess, onEnd: () => Promise<void>) {
    this.url = url;
    this.#process = process;
    this.#onEnd = onEnd;
  }

  static async start(module: URL, options: ChildOptions = {}): Promise<Child> {
    const { args = [], flags = [], env = {}, onEnd = async () => undefined } = options;
    const child = fork(fileURLToPath(module), [...args], {
      execArgv: [...flags],
      env: { ...process.env, ...env },
    });
    try {
      const { port } = await answer<{ port: number }>(child);
      return new Child(new URL(`http://127.0.0.1:${port}`), child, onEnd);
    } catch (error) {
      await onEnd();
      throw error;
    }
  }

  async usage(): Promise<Usage> {
    const answered = answer<Usage>(this.#process);
    this.#process.send('usage');
    return answered;
  }

  /** Waits until it does next to nothing any more, or for half a minute. */
  async calm(): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (let last = await this.usage(); performance.now() < deadline; ) {
      await sleep(250);
      const now = await this.usage();
      if (now.cpu - last.cpu < 25) return;
      last = now;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
    await this.#onEnd();
  }
}

async function answer<T extends Message>(child: ChildProcess): Promise<T> {
  const listening = new AbortController();
  const { signal } = listening;
  const ended = once(child, 'exit', { signal }).then(([code, killedBy]) => {
    throw new Error(`a measured process ended early (${code ?? killedBy})`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    listening.abort();
  }
}

/** For the process itself: says the port, answers, and ends what it runs when its parent is done. */
export function reportToParent(port: number, running: AsyncDisposable): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = { cpu: (user + system) / 1000, rss: process.memoryUsage.rss() / 2 ** 20 };
    process.send?.(usage);
  });
  process.once('disconnect', async () => {
    await running[Symbol.asyncDispose]();
    process.exit();
  });
  process.send?.({ port });
}
