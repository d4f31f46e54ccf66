import { createHash, createPublicKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import { SigningKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { TestPerson } from './test-node.ts';

/** What a proof says; a claim that is undefined is left out. */
export interface ProofClaims {
  htm: string;
  htu: string;
  iat?: number | undefined;
  jti?: string | undefined;
  nonce?: string | undefined;
  ath?: string | undefined;
}

export interface DpopClientOptions {
  /** Where the node listens. */
  url: string;
  /** What its public URL is. */
  publicUrl?: string;
  person: TestPerson;
}

const CREATE_SESSION = zone.stratos.server.createSession.$nsid;

/** An app of a person with a key of its own, which takes a session and goes on with it. */
export class DpopClient {
  readonly key: KeyObject = SigningKey.generate('P-256').keyObject;
  readonly #options: Required<DpopClientOptions>;
  /** The session token, once there is one. */
  token = '';
  /** The nonce that the node gave last. */
  nonce: string | undefined;

  constructor(options: DpopClientOptions) {
    this.#options = { publicUrl: 'http://localhost:3100', ...options };
  }

  /** A client that has a session. */
  static async signedIn(options: DpopClientOptions): Promise<DpopClient> {
    const client = new DpopClient(options);
    const response = await client.createSession();
    if (!response.ok) throw new Error(`createSession: ${response.status}`);
    client.token = (await response.json()).token;
    return client;
  }

  /** Exchanges a token of the person's PDS, and takes the nonce that it is told to. */
  async createSession(): Promise<Response> {
    const authorization = await this.#options.person.authorization(CREATE_SESSION);
    for (;;) {
      const hadNonce = this.nonce !== undefined;
      const response = await this.#send('POST', `/xrpc/${CREATE_SESSION}`, { authorization });
      if (hadNonce || response.status !== 401) return response;
    }
  }

  /** A request with the session and a proof. */
  async send(method: string, path: string, body?: unknown): Promise<Response> {
    return this.#send(method, path, { authorization: `DPoP ${this.token}` }, body);
  }

  async get(nsid: string, params: Record<string, string>): Promise<Response> {
    return this.send('GET', `/xrpc/${nsid}?${new URLSearchParams(params)}`);
  }

  async post(nsid: string, body: unknown): Promise<Response> {
    return this.send('POST', `/xrpc/${nsid}`, body);
  }

  /** What a good proof for a request with the session says. */
  claims(method: string, path: string): ProofClaims {
    const [htu = ''] = `${this.#options.publicUrl}${path}`.split('?');
    return { htm: method, htu, nonce: this.nonce, ...(this.token && { ath: hash(this.token) }) };
  }

  proof(claims: ProofClaims, header: Record<string, unknown> = {}, key = this.key): string {
    const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
    const iat = Math.floor(Date.now() / 1000);
    return signedJwt(
      { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y }, ...header },
      { iat, jti: randomUUID(), ...claims },
      key,
    );
  }

  async #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ): Promise<Response> {
    const response = await fetch(`${this.#options.url}${path}`, {
      method,
      headers: {
        ...headers,
        dpop: this.proof(this.claims(method, path)),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    this.nonce = response.headers.get('dpop-nonce') ?? this.nonce;
    return response;
  }
}

/** A JWT with whatever header, by a P-256 key. */
export function signedJwt(header: object, claims: object, key: KeyObject): string {
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
