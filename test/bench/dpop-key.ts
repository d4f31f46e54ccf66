import { createPublicKey, randomUUID, sign } from 'node:crypto';
import { SigningKey, tokenHash } from '@stratos/protocol';

/** The key of an app, which proves in each request that it holds it (RFC 9449). */
export class DpopKey {
  readonly #key = SigningKey.generate('P-256').keyObject;
  readonly #jwk = createPublicKey(this.#key).export({ format: 'jwk' });

  /** As RFC 7638 has it. */
  get thumbprint(): string {
    const { crv, kty, x, y } = this.#jwk;
    return tokenHash(JSON.stringify({ crv, kty, x, y }));
  }

  /** A proof that is good once. */
  proof(claims: { htm: string; htu: string; nonce?: string | undefined; ath?: string }): string {
    const { kty, crv, x, y } = this.#jwk;
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
    const iat = Math.floor(Date.now() / 1000);
    const signed = [header, { ...claims, iat, jti: randomUUID() }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(signed), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    });
    return `${signed}.${signature.toString('base64url')}`;
  }
}
