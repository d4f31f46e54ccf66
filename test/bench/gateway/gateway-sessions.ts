import { type Did, type Sessions, tokenHash } from '@stratos/protocol';
import { DpopKey } from '../dpop-key.ts';

export interface GatewaySessionsOptions {
  base: URL;
  /** Whether sessions are bound to a key, of which each request has a proof. */
  bound: boolean;
}

/** Sessions of viewers, made with the gateway's own key, and what requests say of them. */
export class GatewaySessions {
  readonly #sessions: Sessions;
  readonly #options: GatewaySessionsOptions;
  readonly #key = new DpopKey();
  readonly #tokens = new Map<Did, string>();
  #nonce = '';

  constructor(sessions: Sessions, options: GatewaySessionsOptions) {
    this.#sessions = sessions;
    this.#options = options;
  }

  /** Must be called before requests are prepared that are to be sent within the next minute. */
  async refresh(): Promise<void> {
    this.#tokens.clear();
    if (!this.#options.bound) return;
    const url = new URL('/trpc/viewer', this.#options.base);
    const headers = await this.headers('did:plc:nobody' as Did, 'GET', '/trpc/viewer');
    const { headers: told } = await fetch(url, { headers });
    this.#nonce = told.get('dpop-nonce') ?? '';
  }

  /** The headers of one request. */
  async headers(viewer: Did, htm: 'GET' | 'POST', path: string): Promise<Record<string, string>> {
    const token = await this.#tokenOf(viewer);
    if (!this.#options.bound) return { authorization: `Bearer ${token}` };
    const claims = { htm, htu: path, nonce: this.#nonce, ath: tokenHash(token) };
    return { authorization: `DPoP ${token}`, dpop: this.#key.proof(claims) };
  }

  async #tokenOf(viewer: Did): Promise<string> {
    const known = this.#tokens.get(viewer);
    if (known) return known;
    const boundTo = this.#options.bound ? this.#key.thumbprint : undefined;
    const { token } = await this.#sessions.issue({ viewer, boundTo });
    this.#tokens.set(viewer, token);
    return token;
  }
}
