import { createHmac, timingSafeEqual } from 'node:crypto';

const WINDOW_MS = 150_000;

/**
 * Nonces for DPoP proofs (RFC 9449, section 8). Nothing is stored: each is good in its window and
 * the next, five minutes at most, in every process that has the same secret.
 */
export class DpopNonces {
  readonly #secret: () => Uint8Array;
  readonly #now: () => number;
  #made: { secret: Uint8Array; window: number; nonces: readonly string[] } | undefined;

  /** @param secret - for HMAC-SHA-256; a function where it may change */
  constructor(secret: Uint8Array | (() => Uint8Array), now: () => number = () => Date.now()) {
    this.#secret = typeof secret === 'function' ? secret : () => secret;
    this.#now = now;
  }

  current(): string {
    return this.#good()[0] ?? '';
  }

  accepts(nonce: string): boolean {
    return this.#good().some((good) => equal(nonce, good));
  }

  /** The nonces that are good now, newest first. */
  #good(): readonly string[] {
    const secret = this.#secret();
    const window = Math.floor(this.#now() / WINDOW_MS);
    if (this.#made?.window !== window || this.#made.secret !== secret) {
      const nonces = [window, window - 1].map((at) => nonceOf(secret, at));
      this.#made = { secret, window, nonces };
    }
    return this.#made.nonces;
  }
}

function nonceOf(secret: Uint8Array, window: number): string {
  return createHmac('sha256', secret).update(String(window)).digest('base64url');
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
