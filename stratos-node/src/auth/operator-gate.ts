import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { NodeError } from '../node-error.ts';
import type { AuditLog } from '../storage/service-storage.ts';

const USER = 'admin';
const MAX_FAILURES = 5;
const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 10_000;

export interface OperatorGateOptions {
  /** Undefined keeps everybody out. */
  password: string | undefined;
  audit: AuditLog;
  now?: () => number;
}

/** Lets nobody but the operator through: `Basic admin:…` or `Bearer …`, a few tries per minute. */
export class OperatorGate {
  readonly #options: OperatorGateOptions;
  readonly #now: () => number;
  readonly #failures = new Map<string, number[]>();

  constructor(options: OperatorGateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** @returns the address that the operator calls from; throws `AuthRequired` or `RateLimitExceeded` */
  async pass(req: IncomingMessage, action: string): Promise<string> {
    const address = req.socket.remoteAddress ?? 'unknown';
    const recent = this.#recentFailures(address);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= MAX_FAILURES) {
      const retryAfterSeconds = (oldest + WINDOW_MS - this.#now()) / 1000;
      throw new NodeError('RateLimitExceeded', 'Too many failed attempts', { retryAfterSeconds });
    }
    if (this.#isPassword(presented(req.headers.authorization))) return address;
    this.#remember(address, [...recent, this.#now()]);
    await this.#options.audit.append({ address, action, outcome: 'refused' });
    throw new NodeError('AuthRequired', undefined, { challenge: 'Basic realm="admin"' });
  }

  #isPassword(given: string | undefined): boolean {
    const { password } = this.#options;
    const isEqual = timingSafeEqual(digest(given ?? ''), digest(password ?? ''));
    return isEqual && given !== undefined && password !== undefined;
  }

  #recentFailures(address: string): number[] {
    return (this.#failures.get(address) ?? []).filter((at) => at > this.#now() - WINDOW_MS);
  }

  #remember(address: string, failures: number[]): void {
    this.#failures.delete(address);
    this.#failures.set(address, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}

function presented(authorization = ''): string | undefined {
  const [, scheme = '', credentials = ''] = authorization.match(/^(\w+) (.+)$/) ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(credentials, 'base64').toString();
  return pair.startsWith(`${USER}:`) ? pair.slice(USER.length + 1) : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
