import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Keeps variables from one script to the next. */
const VARIABLES = 'variables.sh';
/** Milliseconds for which a script goes on that is stopped. */
const WHILE_MS = 2_000;

/** Runs scripts one after the other, as somebody does who stays in one terminal. */
export class Shell {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  static async open(folder: string, env: NodeJS.ProcessEnv): Promise<Shell> {
    await writeFile(join(folder, VARIABLES), '');
    return new Shell(folder, env);
  }

  /** What it writes. Throws when it fails. */
  async run(script: string): Promise<string> {
    const { output, complaints, ended } = this.#start(script);
    const status = await ended;
    if (status !== 0) throw new Error(`It ended with ${status}: ${output()}${complaints()}`);
    return output();
  }

  /** What a script writes that goes on until it is stopped. Throws when it ends before. */
  async runUntilStopped(script: string): Promise<string> {
    const { output, complaints, ended, stop } = this.#start(script);
    const early = ended.then((status) => {
      throw new Error(`It ended with ${status}: ${output()}${complaints()}`);
    });
    const begun = async () => {
      while (output() === '') await sleep(50);
      await sleep(WHILE_MS);
    };
    await Promise.race([begun(), early]);
    early.catch(() => {});
    stop();
    await ended;
    return output();
  }

  #start(script: string) {
    const whole = `set -euo pipefail; set -a; . ./${VARIABLES}\n${script}\nexport -p > ${VARIABLES}`;
    const child = spawn('bash', ['-c', whole], {
      cwd: this.#folder,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, complaints] = ['', ''];
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (complaints += chunk));
    const { promise: ended, resolve } = Promise.withResolvers<number | null>();
    child.once('close', resolve);
    return {
      output: () => output,
      complaints: () => complaints,
      ended,
      stop: () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'),
    };
  }
}
