import { createHash } from 'node:crypto';
import { randomId, SigningKey } from '@stratos/protocol';

/** A token as it is asked for: what is undefined is left out of it. */
export interface Forgery {
  header?: Record<string, unknown>;
  claims: Record<string, unknown>;
  key: SigningKey;
  /** Instead of a real signature. */
  signature?: Uint8Array;
}

/** Any JWT at all, well made or not. */
export async function forge({ header, claims, key, signature }: Forgery): Promise<string> {
  const signed = [{ typ: 'JWT', alg: key.jwtAlg, ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const bytes = signature ?? (await key.sign(Buffer.from(signed)));
  return `${signed}.${Buffer.from(bytes).toString('base64url')}`;
}

/** The claims of a good service-auth token. */
export function goodClaims(issuer: string, audience: string, lxm: string): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  return { iss: issuer, aud: audience, lxm, iat, exp: iat + 60, jti: randomId() };
}

/** The other signature that is valid for the same message, with a high S. */
export function highS(signature: Uint8Array, order: bigint): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  const flipped = (order - s).toString(16).padStart(64, '0');
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(flipped, 'hex')]);
}

export const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

export interface ProofRequest {
  htm: string;
  htu: string;
  nonce?: string | undefined;
  /** The access token that goes with it. */
  token?: string;
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
}

/** A client's DPoP key, which makes proofs as RFC 9449 says. */
export class ProofKey {
  readonly key = SigningKey.generate('P-256');

  get jwk(): Record<string, unknown> {
    const { kty, crv, x, y } = this.key.keyObject.export({ format: 'jwk' });
    return { kty, crv, x, y };
  }

  /** RFC 7638 thumbprint. */
  get thumbprint(): string {
    const { kty, crv, x, y } = this.jwk;
    return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  }

  async proof({ htm, htu, nonce, token, claims, header }: ProofRequest): Promise<string> {
    const ath = token && createHash('sha256').update(token).digest('base64url');
    const iat = Math.floor(Date.now() / 1000);
    return forge({
      header: { typ: 'dpop+jwt', jwk: this.jwk, ...header },
      claims: { jti: randomId(), htm, htu, iat, nonce, ath, ...claims },
      key: this.key,
    });
  }
}
