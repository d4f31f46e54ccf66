import { createHash } from 'node:crypto';
import { AuthRequiredError, type ReplayStore } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import type { DpopNonces } from './dpop-nonce.ts';

/** Seconds that a proof may be old, or ahead of our clock. */
const MAX_AGE = 60;

const publicKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.undefined().optional(),
});
const claims = z.object({
  htm: z.string(),
  htu: z.string(),
  iat: z.int(),
  jti: z.string().min(8).max(256),
  nonce: z.string().optional(),
  ath: z.string().optional(),
});

export interface DpopExpectation {
  method: string;
  /** Canonical URL of the request, without query. */
  url: string;
  /** The access token that the proof goes with, if there is one. */
  accessToken?: string;
}

/** Checks DPoP proofs (RFC 9449): ES256 only, a fresh nonce of ours, each good once. */
export class DpopVerifier {
  readonly #nonces: DpopNonces;
  readonly #replayStore: ReplayStore;

  constructor(nonces: DpopNonces, replayStore: ReplayStore) {
    this.#nonces = nonces;
    this.#replayStore = replayStore;
  }

  /**
   * The thumbprint of the key that made the proof.
   *
   * @throws {@link AuthRequiredError} when it does not hold, `DPOP_NONCE_REQUIRED` when it lacks a
   * nonce that is good now
   */
  async verify(proof: string, expected: DpopExpectation): Promise<string> {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: ['ES256'],
      typ: 'dpop+jwt',
    }).catch((cause) => refuse('is malformed or has a bad signature', cause));
    const key = publicKey.safeParse(protectedHeader.jwk);
    const { success, data } = claims.safeParse(payload);
    if (!success || !key.success) return refuse('is malformed');
    if (data.htm !== expected.method) refuse('is for another method');
    if (data.htu !== expected.url) refuse('is for another URL');
    if (data.ath !== (expected.accessToken && hash(expected.accessToken))) {
      refuse('is for another token');
    }
    const now = Date.now() / 1000;
    if (Math.abs(now - data.iat) > MAX_AGE) refuse('is not of this minute');
    const since = this.#replayStore.remembersSince?.getTime() ?? 0;
    if (data.iat < since / 1000 - 1) refuse('is older than this service remembers');
    if (data.nonce === undefined || !this.#nonces.accepts(data.nonce)) {
      throw new ApiError('DPOP_NONCE_REQUIRED', 'Use the nonce of the DPoP-Nonce header');
    }
    const thumbprint = await calculateJwkThumbprint(key.data, 'sha256');
    await this.#claim(`dpop ${thumbprint} ${data.jti}`, data.iat);
    return thumbprint;
  }

  async #claim(id: string, iat: number): Promise<void> {
    const expiresAt = new Date((iat + 2 * MAX_AGE) * 1000);
    const first = await this.#replayStore
      .claim(id, expiresAt)
      .catch((cause) => refuse('cannot be checked for replay now', cause));
    if (!first) refuse('was already used');
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function refuse(why: string, cause?: unknown): never {
  throw new AuthRequiredError(`the DPoP proof ${why}`, { cause });
}
