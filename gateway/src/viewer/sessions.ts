import { createPublicKey, randomUUID } from 'node:crypto';
import { AuthRequiredError, type Did, isDid, type SigningKey } from '@stratos/protocol';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

/** `typ` of our session tokens: no other kind of JWT has it. */
export const SESSION_TYP = 'stratos-session+jwt';
/** Seconds for which a session is good. */
export const SESSION_LIFETIME = 600;

const claims = z.object({
  sub: z.custom<Did>(isDid),
  jti: z.string(),
  cnf: z.strictObject({ jkt: z.string() }).optional(),
});

export interface Session {
  viewer: Did;
  /** Thumbprint of the DPoP key that the session is bound to. */
  boundTo: string | undefined;
}

/** Makes and checks session tokens: ours, ES256, for this gateway's DID only. */
export class Sessions {
  readonly #key: SigningKey;
  readonly #issuer: Did;

  constructor(key: SigningKey, issuer: Did) {
    this.#key = key;
    this.#issuer = issuer;
  }

  async issue({ viewer, boundTo }: Session): Promise<{ token: string; expiresAt: Date }> {
    const iat = Math.floor(Date.now() / 1000);
    const exp = iat + SESSION_LIFETIME;
    const token = await new SignJWT(boundTo ? { cnf: { jkt: boundTo } } : {})
      .setProtectedHeader({ alg: 'ES256', typ: SESSION_TYP })
      .setIssuer(this.#issuer)
      .setAudience(this.#issuer)
      .setSubject(viewer)
      .setJti(randomUUID())
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .sign(this.#key.keyObject);
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** Throws {@link AuthRequiredError} for everything but a living session of ours. */
  async verify(token: string): Promise<Session> {
    const { payload } = await jwtVerify(token, createPublicKey(this.#key.keyObject), {
      algorithms: ['ES256'],
      typ: SESSION_TYP,
      issuer: this.#issuer,
      audience: this.#issuer,
      maxTokenAge: SESSION_LIFETIME,
      clockTolerance: 5,
      requiredClaims: ['exp', 'sub', 'jti'],
    }).catch((cause) => refuse(cause));
    const { success, data } = claims.safeParse(payload);
    return success ? { viewer: data.sub, boundTo: data.cnf?.jkt } : refuse();
  }
}

function refuse(cause?: unknown): never {
  throw new AuthRequiredError('the session is not valid or has ended', { cause });
}
