import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Fetch } from '../http/request.ts';
import type { Pds } from '../session/pds.ts';

export const PERSON = 'did:plc:reireireireireireireirei';

/** A service with DPoP sessions that can be told to misbehave, and the PDS of a person. */
export class DpopService {
  readonly service = { did: 'did:web:node.example', url: 'https://node.example' } as const;
  /** The nonce that is good now. */
  nonce = 'first';
  /** Seconds for which sessions are good. */
  lifetime = 600;
  /** Milliseconds that the exchange takes. */
  exchangeMs = 0;
  /** The session that is good. */
  session = 0;
  /** The `Authorization` and the body of each request that was let in. */
  readonly heard: { url: string; authorization: string; body: string }[] = [];
  /** What is answered to who is let in, one after the other; then always the last. */
  answers: { status?: number; body: object }[] = [{ body: {} }];
  /** Requests of all kinds. */
  requests = 0;
  #tokens = 0;

  readonly pds: Pds = {
    fetchHandler: async (path) => {
      const { searchParams } = new URL(path, 'https://pds.example');
      this.#tokens += 1;
      return Response.json({ token: `${searchParams.get('lxm')} ${this.#tokens}` });
    },
  };

  /** Tokens that the PDS gave. */
  get tokens(): number {
    return this.#tokens;
  }

  readonly fetch: Fetch = async (url, init) => {
    this.requests += 1;
    const request = new Request(url, init);
    const authorization = request.headers.get('authorization') ?? '';
    const refused = this.#refuse(request, authorization);
    if (refused) return refused;
    if (url.endsWith('.createSession')) {
      await new Promise((resolve) => setTimeout(resolve, this.exchangeMs));
      this.session += 1;
      const expiresAt = new Date(Date.now() + this.lifetime * 1000).toISOString();
      return this.#answer(200, { did: PERSON, token: `session-${this.session}`, expiresAt });
    }
    if (authorization.replace(/^(DPoP|Bearer) /, '') !== `session-${this.session}`) {
      return this.#answer(401, { error: 'AuthRequired' }, 'DPoP error="invalid_token"');
    }
    this.heard.push({ url, authorization, body: await request.text() });
    const [next = { body: {} }, ...others] = this.answers;
    if (others.length > 0) this.answers = others;
    return this.#answer(next.status ?? 200, next.body);
  };

  #refuse(request: Request, authorization: string): Response | undefined {
    const proof = request.headers.get('dpop');
    if (!proof) return undefined;
    const [header = '', payload = '', signature = ''] = proof.split('.');
    const { jwk } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const key = createPublicKey({ format: 'jwk', key: jwk });
    const bytes = Buffer.from(`${header}.${payload}`);
    const sig = Buffer.from(signature, 'base64url');
    const token = authorization.startsWith('DPoP ') ? authorization.slice(5) : undefined;
    const ath = token && createHash('sha256').update(token).digest('base64url');
    const holds =
      verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, sig) &&
      claims.htm === request.method &&
      claims.htu === request.url.split('?')[0] &&
      claims.ath === ath;
    if (!holds) return this.#answer(400, { error: 'BadProof' });
    if (claims.nonce === this.nonce) return undefined;
    return this.#answer(401, { error: 'use_dpop_nonce' }, 'DPoP error="use_dpop_nonce"');
  }

  #answer(status: number, body: object, challenge?: string): Response {
    const headers = {
      'dpop-nonce': this.nonce,
      ...(challenge && { 'www-authenticate': challenge }),
    };
    return Response.json(body, { status, headers });
  }
}
