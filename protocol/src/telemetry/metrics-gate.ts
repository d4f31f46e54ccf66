import type { IncomingMessage } from 'node:http';
import { isFromThisMachine } from './from-this-machine.ts';
import { hasPassword } from './operator-password.ts';

/** Wrong passwords of an address in a minute, after which none of its is looked at. */
const MAX_FAILURES = 5;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; of more, none may guess. */
const MAX_ADDRESSES = 1_000;

export interface MetricsGateOptions {
  /** Undefined keeps everybody out. */
  password: string | undefined;
  /** Whether this machine needs none. */
  devMode: boolean;
}

/** Lets nobody but the operator read the metrics. */
export class MetricsGate {
  readonly #options: MetricsGateOptions;
  readonly #failures = new Map<string, number>();
  #windowEnds = 0;

  constructor(options: MetricsGateOptions) {
    this.#options = options;
  }

  /** The HTTP status to refuse a request with; undefined for the operator. */
  refusal(request: IncomingMessage, now = performance.now()): 401 | 429 | undefined {
    const { password, devMode } = this.#options;
    if (devMode && isFromThisMachine(request)) return undefined;
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + WINDOW_MS;
      this.#failures.clear();
    }
    const address = request.socket.remoteAddress ?? '';
    const failures = this.#failures.get(address) ?? 0;
    if (failures >= MAX_FAILURES || this.#failures.size > MAX_ADDRESSES) return 429;
    if (hasPassword(request.headers.authorization, password)) return undefined;
    this.#failures.set(address, failures + 1);
    return 401;
  }
}
