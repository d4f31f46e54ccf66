import { createHmac, timingSafeEqual } from 'node:crypto';

const WINDOW_MS = 150_000;

/**
 * Nonces for DPoP proofs (RFC 9449, section 8). Nothing is stored: each is good in its window and
 * the next, five minutes at most, at every gateway that has the same secret.
 */
export class DpopNonces {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  current(): string {
    return this.#nonce(Math.floor(Date.now() / WINDOW_MS));
  }

  accepts(nonce: string): boolean {
    const window = Math.floor(Date.now() / WINDOW_MS);
    return [window, window - 1].some((at) => equal(nonce, this.#nonce(at)));
  }

  #nonce(window: number): string {
    return createHmac('sha256', this.#secret).update(String(window)).digest('base64url');
  }
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
