import type { IncomingMessage } from 'node:http';
import { hasPassword } from '@stratos/protocol/telemetry';
import { addressGroup, type ClientAddress } from '../limits/client-address.ts';
import { MemoryRateCounter, type RateCounter, withFallback } from '../limits/rate-counter.ts';
import { NodeError } from '../node-error.ts';
import type { AuditLog } from '../storage/service-storage.ts';

const MAX_FAILURES = 5;
const WINDOW_MS = 60_000;

export interface OperatorGateOptions {
  /** Undefined keeps everybody out. */
  password: string | undefined;
  audit: AuditLog;
  clientAddress: ClientAddress;
  /** Where failures are counted; in this process alone unless told. */
  counter?: RateCounter;
}

/** Lets nobody but the operator through: `Basic admin:…` or `Bearer …`, a few tries per minute. */
export class OperatorGate {
  readonly #options: OperatorGateOptions;
  readonly #failures: RateCounter;

  constructor(options: OperatorGateOptions) {
    this.#options = options;
    const own = new MemoryRateCounter();
    this.#failures = options.counter ? withFallback(options.counter, own) : own;
  }

  /** @returns the address that the operator calls from; throws `AuthRequired` or `RateLimitExceeded` */
  async pass(req: IncomingMessage, action: string): Promise<string> {
    const address = this.#options.clientAddress(req);
    const isOperator = hasPassword(req.headers.authorization, this.#options.password);
    // @NOTE counted before it is answered, so that no burst of guesses gets more answers than this
    const key = `operator ${addressGroup(address)}`;
    const { count, resetMs } = await this.#failures.add(key, isOperator ? 0 : 1, WINDOW_MS);
    if (count >= MAX_FAILURES + (isOperator ? 0 : 1)) {
      const retryAfterSeconds = resetMs / 1000;
      throw new NodeError('RateLimitExceeded', 'Too many failed attempts', { retryAfterSeconds });
    }
    if (isOperator) return address;
    await this.#options.audit.append({ address, action, outcome: 'refused' });
    throw new NodeError('AuthRequired', undefined, { challenge: 'Basic realm="admin"' });
  }
}
