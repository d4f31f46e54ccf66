import { createPublicKey, hash, type webcrypto } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { DpopNonces } from './dpop-nonce.ts';
import { AuthRequiredError } from './errors.ts';
import { isSignedEs256Aside, parseJwt } from './jws.ts';
import type { ReplayStore } from './replay-store.ts';

/** Seconds that a proof may be old, or ahead of our clock. */
const MAX_AGE = 60;

/** A proof that lacks a nonce which is good now. Maps to HTTP 401 `use_dpop_nonce`. */
export class DpopNonceError extends AuthRequiredError {
  override name = 'DpopNonceError';
}

/** A proof that does not hold, whatever its nonce. Maps to HTTP 401. */
export class DpopProofError extends AuthRequiredError {
  override name = 'DpopProofError';
}

const coordinate = z.string().regex(/^[\w-]{43}$/);
const header = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('ES256'),
  crit: z.undefined().optional(),
  jwk: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: z.undefined().optional(),
  }),
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

export interface DpopVerifierOptions {
  nonces: DpopNonces;
  replayStore: ReplayStore;
  /** Whether a proof must have a nonce of ours; true unless told. One that it has must be good. */
  requireNonce?: boolean;
}

/** Checks DPoP proofs (RFC 9449): ES256 only, a fresh nonce of ours, each good once. */
export class DpopVerifier {
  readonly #options: DpopVerifierOptions;

  constructor(options: DpopVerifierOptions) {
    this.#options = options;
  }

  /**
   * The thumbprint (RFC 7638) of the key that made the proof.
   *
   * @throws {@link DpopProofError} when it does not hold, {@link DpopNonceError} when it lacks a
   * nonce that is good now
   */
  async verify(proof: string, expected: DpopExpectation): Promise<string> {
    const jwt = parseJwt(proof);
    const parsedHeader = header.safeParse(jwt?.header);
    const parsedClaims = claims.safeParse(jwt?.claims);
    if (!jwt || !parsedHeader.success || !parsedClaims.success) return refuse('is malformed');
    const { data } = parsedClaims;
    if (data.htm !== expected.method) refuse('is for another method');
    if (data.htu !== expected.url) refuse('is for another URL');
    if (data.ath !== (expected.accessToken && tokenHash(expected.accessToken))) {
      refuse('is for another token');
    }
    const now = Date.now() / 1000;
    if (Math.abs(now - data.iat) > MAX_AGE) refuse('is not of this minute');
    const { nonces, replayStore, requireNonce = true } = this.#options;
    const since = replayStore.remembersSince?.getTime() ?? 0;
    if (data.iat < since / 1000 - 1) refuse('is older than this service remembers');
    const key = keyOf(parsedHeader.data.jwk);
    if (!(await isSignedEs256Aside(jwt, key.publicKey))) refuse('has a bad signature');
    const isNonceGood = data.nonce === undefined ? !requireNonce : nonces.accepts(data.nonce);
    if (!isNonceGood) throw new DpopNonceError('Use the nonce of the DPoP-Nonce header');
    await this.#claim(`dpop ${key.thumbprint} ${data.jti}`, data.iat);
    return key.thumbprint;
  }

  async #claim(id: string, iat: number): Promise<void> {
    const expiresAt = new Date((iat + 2 * MAX_AGE) * 1000);
    const first = await this.#options.replayStore
      .claim(id, expiresAt)
      .catch((cause) => refuse('cannot be checked for replay now', cause));
    if (!first) refuse('was already used');
  }
}

/** The token of an `Authorization: DPoP` header, if it is one. */
export function dpopToken(authorization: string | undefined): string | undefined {
  return authorization?.match(/^DPoP ([\w\-.~+/]+=*)$/i)?.[1];
}

/** What a proof has as `ath`. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}

interface ProofKey {
  publicKey: webcrypto.CryptoKey;
  thumbprint: string;
}

const keys = new LRUCache<string, ProofKey>({ max: 10_000 });

function keyOf({ kty, crv, x, y }: z.infer<typeof header>['jwk']): ProofKey {
  const known = keys.get(x + y);
  if (known) return known;
  try {
    const publicKey = createPublicKey({ format: 'jwk', key: { kty, crv, x, y } });
    const made = {
      publicKey: publicKey.toCryptoKey({ name: 'ECDSA', namedCurve: crv }, false, ['verify']),
      // @NOTE RFC 7638: exactly these members in exactly this order
      thumbprint: tokenHash(JSON.stringify({ crv, kty, x, y })),
    };
    keys.set(x + y, made);
    return made;
  } catch (cause) {
    return refuse('has a key that is none', cause);
  }
}

function refuse(why: string, cause?: unknown): never {
  throw new DpopProofError(`the DPoP proof ${why}`, { cause });
}
