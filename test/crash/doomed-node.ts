import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Did, toDid } from '@stratos/protocol';
import type { Person } from '../bench/people.ts';
import type { Answer, Request } from './node-process.ts';

const SCRIPT = fileURLToPath(new URL('./node-process.ts', import.meta.url));

export const NODE_DID = toDid('did:web:localhost%3A3100');
const PASSWORD = 'correct horse battery';

/** A request that the node did not answer, because it died; whether it was carried out is open. */
export class UnansweredError extends Error {
  override name = 'UnansweredError';
}

/** What a node answered. */
export interface Outcome<Body = unknown> {
  status: number;
  body: Body;
}

/** A node in a process of its own that may be killed at any time. */
export class DoomedNode {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, (error: string | undefined) => void>();
  #requests = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
    child.on('message', (answer: { id: number; error?: string }) => {
      this.#asked.get(answer.id)?.(answer.error);
    });
  }

  /**
   * Starts a node, and waits until it listens.
   *
   * @param killAfterMs - kills it while it starts, unless it listens by then
   * @returns undefined if it was killed
   */
  static async start(
    env: Record<string, string>,
    killAfterMs?: number,
  ): Promise<DoomedNode | undefined> {
    const child = fork(SCRIPT, { execArgv: [], env: { ...process.env, ...env } });
    const exited = once(child, 'exit');
    let isKilled = false;
    const timer =
      killAfterMs !== undefined &&
      setTimeout(() => {
        isKilled = true;
        child.kill('SIGKILL');
      }, killAfterMs);
    const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
    if (timer) clearTimeout(timer);
    if (isKilled) {
      await exited;
      return undefined;
    }
    if (!first) throw new Error('the node did not start');
    const [{ port }] = first as [{ port: number } & Answer];
    return new DoomedNode(child, port);
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    const isRunning = this.#child.exitCode === null && this.#child.signalCode === null;
    if (isRunning && this.#child.kill('SIGKILL')) await exited;
    for (const settle of this.#asked.values()) settle('dead');
  }

  /** Throws {@link UnansweredError} if the node dies before it is done. */
  async enroll(did: Did): Promise<void> {
    const id = ++this.#requests;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#asked.set(id, resolve);
    const request: Request = { id, enroll: did };
    this.#child.send(request, (error) => error && resolve('dead'));
    const error = await promise;
    this.#asked.delete(id);
    if (error === 'dead') throw new UnansweredError('enroll');
    if (error !== undefined) throw new Error(`enroll: ${error}`);
  }

  /** Calls a method as somebody; with a body, as a procedure. Throws {@link UnansweredError}. */
  async call<Body>(who: Person | 'operator', nsid: string, options: CallOptions = {}) {
    const authorization =
      who === 'operator'
        ? `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`
        : await who.authorization(NODE_DID, nsid);
    const { body, params = {} } = options;
    const url = `${this.url}/xrpc/${nsid}?${new URLSearchParams(params)}`;
    try {
      const response = await fetch(url, {
        headers: {
          authorization,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      });
      const isJson = response.headers.get('content-type')?.startsWith('application/json');
      const answer = isJson ? await response.json() : new Uint8Array(await response.arrayBuffer());
      return { status: response.status, body: answer } as Outcome<Body>;
    } catch (cause) {
      throw new UnansweredError(nsid, { cause });
    }
  }
}

export interface CallOptions {
  body?: unknown;
  params?: Record<string, string>;
}

/** The environment of a node that keeps its data in this way. */
export function nodeEnv(options: {
  dataDir: string;
  appView: Person;
  directory: URL;
  pdsUrl: string;
  storage: Record<string, string>;
}): Record<string, string> {
  return {
    LOG_LEVEL: 'fatal',
    STRATOS_SERVICE_DID: NODE_DID,
    STRATOS_PUBLIC_URL: 'http://localhost:3100',
    STRATOS_PORT: '0',
    STRATOS_DATA_DIR: `${options.dataDir}/node`,
    STRATOS_ALLOWED_DOMAINS: 'forge,harbour',
    STRATOS_ALLOWED_APPVIEWS: options.appView.did,
    STRATOS_ADMIN_PASSWORD: PASSWORD,
    STRATOS_HEARTBEAT_INTERVAL_MS: '200',
    STRATOS_DEV_MODE: 'true',
    STRATOS_PLC_URL: options.directory.origin,
    STRATOS_WRITE_RATE_MAX_WRITES: '1000000',
    STRATOS_IP_RATE_MAX_REQUESTS: '1000000',
    CRASH_PDS_URL: options.pdsUrl,
    NODE_COMPILE_CACHE: `${options.dataDir}/compiled`,
    ...options.storage,
  };
}
