import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { tokenHash } from './dpop.ts';
import { AuthRequiredError } from './errors.ts';
import { type Did, isDid } from './identifiers.ts';
import { isSignedEs256, parseJwt, signEs256 } from './jws.ts';
import type { SigningKey } from './signing-key.ts';

/** `typ` of our session tokens: no other kind of JWT has it. */
export const SESSION_TYP = 'stratos-session+jwt';
/** Seconds for which a session is good. */
export const SESSION_LIFETIME = 600;
/** Seconds by which the clocks of processes that share a key may differ. */
const CLOCK_SKEW = 5;
/** Verified sessions that are remembered. */
const REMEMBERED = 10_000;

const header = z.object({
  typ: z.literal(SESSION_TYP),
  alg: z.literal('ES256'),
  crit: z.undefined().optional(),
});
const kind = header.pick({ typ: true });

/** Who a session is of. */
export interface Session {
  viewer: Did;
  /** Thumbprint of the DPoP key that the session is bound to. */
  boundTo: string | undefined;
}

/** A session that is alive. */
export interface LivingSession extends Session {
  expiresAt: Date;
}

/** Makes and checks session tokens: ours, ES256, for one service's DID only. */
export class Sessions {
  readonly #keyNow: () => SigningKey;
  readonly #issuer: Did;
  readonly #claims: ReturnType<typeof claimsOf>;
  #key: SigningKey;
  readonly #verified = new LRUCache<string, Session & { exp: number }>({ max: REMEMBERED });

  /** @param key - P-256; a function where it may change, which ends the sessions of the one before */
  constructor(key: SigningKey | (() => SigningKey), issuer: Did) {
    this.#keyNow = typeof key === 'function' ? key : () => key;
    this.#key = this.#keyNow();
    this.#issuer = issuer;
    this.#claims = claimsOf(issuer);
  }

  async issue({ viewer, boundTo }: Session): Promise<{ token: string; expiresAt: Date }> {
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + SESSION_LIFETIME;
    const claims = {
      ...(boundTo !== undefined && { cnf: { jkt: boundTo } }),
      iss: this.#issuer,
      aud: this.#issuer,
      sub: viewer,
      jti: randomUUID(),
      iat,
      exp,
    };
    const token = signEs256({ alg: 'ES256', typ: SESSION_TYP }, claims, this.#current().keyObject);
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** Throws {@link AuthRequiredError} for everything but a living session of ours. */
  async verify(token: string): Promise<LivingSession> {
    const key = this.#current();
    const hash = tokenHash(token);
    const known = this.#verified.get(hash) ?? this.#check(token, key);
    if (known.exp <= Date.now() / 1000 - CLOCK_SKEW) refuse();
    this.#verified.set(hash, known);
    const { viewer, boundTo, exp } = known;
    return { viewer, boundTo, expiresAt: new Date(exp * 1000) };
  }

  #current(): SigningKey {
    const key = this.#keyNow();
    if (key !== this.#key) this.#verified.clear();
    this.#key = key;
    return key;
  }

  #check(token: string, key: SigningKey): Session & { exp: number } {
    const jwt = parseJwt(token);
    if (!jwt || !header.safeParse(jwt.header).success) return refuse();
    const { success, data } = this.#claims.safeParse(jwt.claims);
    if (!success || !isSignedEs256(jwt, key.keyObject)) return refuse();
    const now = Date.now() / 1000;
    if (data.iat > now + CLOCK_SKEW || data.iat < now - SESSION_LIFETIME - CLOCK_SKEW) refuse();
    if (data.exp - data.iat > SESSION_LIFETIME) refuse();
    return { viewer: data.sub, boundTo: data.cnf?.jkt, exp: data.exp };
  }
}

function claimsOf(issuer: Did) {
  return z.object({
    iss: z.literal(issuer),
    aud: z.literal(issuer),
    sub: z.custom<Did>(isDid),
    jti: z.string(),
    iat: z.int(),
    exp: z.int(),
    cnf: z.strictObject({ jkt: z.string() }).optional(),
  });
}

/** True for what says of itself that it is a session of ours or of another service like us. */
export function isSessionToken(token: string): boolean {
  return kind.safeParse(parseJwt(token)?.header).success;
}

function refuse(): never {
  throw new AuthRequiredError('the session is not valid or has ended');
}
