import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DataFolder, PROJECT } from './data-folder.ts';
import { formatEnvFile } from './env-file.ts';
import { formatPidFile } from './folder-lock.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 15_000;
const LOG_LINES_SHOWN = 25;
const PRELOAD = join(import.meta.dirname, 'exit-with-parent.ts');
/** What a service may have of the surroundings; all else comes from its own definition. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS'];

const running = new Set<ChildProcess>();
// Services are leaders of their own process groups, out of reach of Ctrl-C in a terminal. When this
// process ends in any other way than by stopping them first, they end with it.
process.on('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

/** One process of the local network. */
export interface ServiceDefinition {
  readonly name: string;
  /** Relative to the project's folder. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Addresses that all answer 200 once the service can be used. */
  readonly readyUrls: readonly string[];
}

/** A service that did not start; the message ends with what it last logged. */
export class ServiceStartError extends Error {
  override name = 'ServiceStartError';
}

/** Starts, watches and stops one process. It can be killed and started again while the others go on. */
export class Service {
  readonly definition: ServiceDefinition;
  readonly #folder: DataFolder;
  readonly #onUnexpectedExit: (service: Service, how: string) => void;
  #child: ChildProcess | undefined;
  #expectedToRun = false;
  #startedBefore = false;

  constructor(
    definition: ServiceDefinition,
    folder: DataFolder,
    onUnexpectedExit: (service: Service, how: string) => void,
  ) {
    this.definition = definition;
    this.#folder = folder;
    this.#onUnexpectedExit = onUnexpectedExit;
  }

  get name(): string {
    return this.definition.name;
  }

  /** The environment that the service was given. */
  get env(): Readonly<Record<string, string>> {
    return this.definition.env;
  }

  get envFile(): string {
    return this.#folder.env(this.name);
  }

  get logFile(): string {
    return this.#folder.log(this.name);
  }

  /** How a person starts the service by hand, from the project's folder. */
  get startCommand(): string {
    const file = relative(PROJECT, this.envFile);
    return `npx node --env-file=${file.startsWith('..') ? this.envFile : file} ${this.definition.script}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the process and waits until it is ready. Throws {@link ServiceStartError}. */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#child) return;
    await writeFile(this.envFile, formatEnvFile(this.env), { mode: 0o600 });
    const child = this.#spawn();
    if (child.pid) {
      await writeFile(
        this.#folder.pid(this.name),
        formatPidFile(child.pid, this.definition.script),
      );
    }
    try {
      await this.#waitUntilReady(child, signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#expectedToRun = this.#child === child;
  }

  /** Asks the process to end, waits for it, and ends it hard when it does not. */
  async stop(): Promise<void> {
    this.#expectedToRun = false;
    const child = this.#child;
    if (!child) return;
    const timer = setTimeout(() => killGroup(child, 'SIGKILL'), STOP_GRACE_MS);
    child.kill('SIGTERM');
    await this.#exited(child);
    clearTimeout(timer);
  }

  /** Sends a signal and waits for the end, without the mercy of {@link stop}. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#expectedToRun = false;
    const child = this.#child;
    if (!child) return;
    child.kill(signal);
    await this.#exited(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(): ChildProcess {
    const log = openSync(this.logFile, this.#startedBefore ? 'a' : 'w', 0o600);
    this.#startedBefore = true;
    const script = join(PROJECT, this.definition.script);
    const child = spawn(process.execPath, ['--import', PRELOAD, script], {
      cwd: PROJECT,
      env: { ...inheritedEnv(), ...this.env },
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    running.add(child);
    this.#child = child;
    child.once('exit', (code, signal) => {
      running.delete(child);
      if (this.#child === child) this.#child = undefined;
      void rm(this.#folder.pid(this.name), { force: true });
      if (!this.#expectedToRun) return;
      this.#expectedToRun = false;
      this.#onUnexpectedExit(this, signal ?? `exit code ${code}`);
    });
    return child;
  }

  async #waitUntilReady(child: ChildProcess, signal?: AbortSignal): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    for (const url of this.definition.readyUrls) {
      while (!(await answersOk(url))) {
        signal?.throwIfAborted();
        if (this.#child !== child) throw await this.#startError('ended before it was ready');
        if (Date.now() > deadline) throw await this.#startError('was not ready within a minute');
        await delay(100, undefined, signal ? { signal } : {});
      }
    }
    if (this.#child !== child) throw await this.#startError('ended before it was ready');
  }

  async #startError(what: string): Promise<ServiceStartError> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    const last = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
    const lines = last.map((line) => `  | ${line.slice(0, 500)}`).join('\n');
    return new ServiceStartError(
      `The service '${this.name}' ${what}. ${this.#folder.kept ? `All it said is in ${this.logFile}; the` : 'The'} end of its log:\n${lines}`,
    );
  }

  async #exited(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!child.pid) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

function inheritedEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
