import { tokenHash } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { DpopKey } from '../dpop-key.ts';
import type { Person } from '../people.ts';
import { NODE_DID, PUBLIC_URL } from './measured-node.ts';

/** How people prove who they are. */
export interface Credentials {
  /** Must be called before requests are prepared that are to be sent within the next minute. */
  refresh(people: readonly Person[]): Promise<void>;
  /** The headers for one request. */
  headers(person: Person, method: 'GET' | 'POST', nsid: string): Promise<Record<string, string>>;
}

/** Each request with a token that the person's PDS made for it, and for no other. */
export const serviceAuth: Credentials = {
  refresh: async () => undefined,
  headers: async (person, _method, nsid) => ({
    authorization: await person.authorization(NODE_DID, nsid),
  }),
};

const CREATE_SESSION = zone.stratos.server.createSession.$nsid;
/** A session lives ten minutes, and a nonce half of that. */
const RENEW_AFTER_MS = 2 * 60_000;

interface Session {
  token: string;
  nonce: string;
  since: number;
}

/** Each request with the session of the person's app, and a proof that it holds the session's key. */
export class DpopSessions implements Credentials {
  readonly #base: URL;
  readonly #key = new DpopKey();
  readonly #sessions = new Map<Person, Session>();

  constructor(base: URL) {
    this.#base = base;
  }

  async refresh(people: readonly Person[]): Promise<void> {
    for (const person of people) {
      const { since = 0 } = this.#sessions.get(person) ?? {};
      if (Date.now() - since > RENEW_AFTER_MS)
        this.#sessions.set(person, await this.#begin(person));
    }
  }

  async headers(person: Person, method: 'GET' | 'POST', nsid: string) {
    const session = this.#sessions.get(person);
    if (!session) throw new Error('somebody has no session');
    const { token, nonce } = session;
    const ath = tokenHash(token);
    return { authorization: `DPoP ${token}`, dpop: this.#proof(method, nsid, { nonce, ath }) };
  }

  /** Asks a first time without nonce, to be told one. */
  async #begin(person: Person, nonce?: string): Promise<Session> {
    const authorization = await person.authorization(NODE_DID, CREATE_SESSION);
    const dpop = this.#proof('POST', CREATE_SESSION, { nonce });
    const headers = { authorization, dpop };
    const url = new URL(`/xrpc/${CREATE_SESSION}`, this.#base);
    const response = await fetch(url, { method: 'POST', headers });
    const told = response.headers.get('dpop-nonce');
    if (nonce === undefined && told) return this.#begin(person, told);
    if (!response.ok) throw new Error(`createSession: ${response.status}`);
    const { token } = (await response.json()) as { token: string };
    return { token, nonce: told ?? nonce ?? '', since: Date.now() };
  }

  #proof(htm: string, nsid: string, more: { nonce?: string | undefined; ath?: string }): string {
    return this.#key.proof({ htm, htu: `${PUBLIC_URL}/xrpc/${nsid}`, ...more });
  }
}
