import { type Bytes, sha256, toBase64 } from '../proof/bytes.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface DpopProofClaims {
  method: string;
  /** Of the request; what follows the path is left out. */
  url: string;
  nonce?: string | undefined;
  /** The token that the proof goes with. */
  token?: string | undefined;
}

/** A key of an app, to which sessions are bound (RFC 9449). Its private half cannot be read. */
export class DpopKey {
  readonly #privateKey: CryptoKey;
  readonly #jwk: JsonWebKey;

  private constructor(privateKey: CryptoKey, jwk: JsonWebKey) {
    this.#privateKey = privateKey;
    this.#jwk = jwk;
  }

  /** Of a P-256 key pair for signing, such as one that the app keeps in IndexedDB; otherwise a new one. */
  static async of(pair?: CryptoKeyPair): Promise<DpopKey> {
    const { privateKey, publicKey } =
      pair ?? (await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']));
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    return new DpopKey(privateKey, Object.fromEntries(Object.entries({ kty, crv, x, y })));
  }

  /** What goes in the header `DPoP` of one request. */
  async proof({ method, url, nonce, token }: DpopProofClaims): Promise<string> {
    const { origin, pathname } = new URL(url);
    const claims = {
      jti: crypto.randomUUID(),
      htm: method,
      htu: origin + pathname,
      iat: Math.floor(Date.now() / 1000),
      ...(nonce !== undefined && { nonce }),
      ...(token !== undefined && { ath: base64url(await sha256(utf8(token))) }),
    };
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk };
    const signed = [header, claims].map((part) => base64url(utf8(JSON.stringify(part)))).join('.');
    const signature = await crypto.subtle.sign(ALGORITHM, this.#privateKey, utf8(signed));
    return `${signed}.${base64url(new Uint8Array(signature))}`;
  }
}

function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

function base64url(bytes: Bytes): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_');
}
