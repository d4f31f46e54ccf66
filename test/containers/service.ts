import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from './image.ts';

/** The command of an image as a process, with nothing of our own environment. */
export class ImageProcess {
  readonly #image: Image;
  readonly #env: NodeJS.ProcessEnv;
  readonly #child;
  #output = '';

  constructor(image: Image, env: Record<string, string>) {
    this.#image = image;
    this.#env = { PATH: process.env['PATH'], ...env };
    const [, ...args] = image.command;
    this.#child = spawn(process.execPath, args, {
      cwd: image.workdir,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk) => (this.#output += chunk));
    }
  }

  /** Resolves once its health check says so. Throws when it ends before. */
  async healthy(): Promise<void> {
    const [, ...args] = this.#image.healthCheck;
    for (;;) {
      const check = spawn(process.execPath, args, { env: this.#env, stdio: 'ignore' });
      const [code] = await once(check, 'exit');
      if (code === 0) return;
      if (this.#child.exitCode !== null) throw new Error(this.#output);
      await sleep(500);
    }
  }

  /** Stops it as Docker does. Resolves to its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    this.#child.kill('SIGTERM');
    const [code] = await once(this.#child, 'exit');
    return code;
  }
}
