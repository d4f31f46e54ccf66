import { setTimeout as sleep } from 'node:timers/promises';
import { type Did, type DidDocument, pdsEndpointOf, toDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';

export interface TokenRequest {
  audience: string;
  lxm?: string | undefined;
  lifetimeSeconds?: number;
}

interface SessionAnswer {
  did: string;
  accessJwt: string;
  didDoc?: DidDocument;
}

/** A person's session at their PDS. */
export class PdsSession {
  readonly did: Did;
  readonly url: string;
  readonly #accessJwt: string;

  private constructor(url: string, did: Did, accessJwt: string) {
    this.url = url;
    this.did = did;
    this.#accessJwt = accessJwt;
  }

  static async signIn(url: string, identifier: string, password: string): Promise<PdsSession> {
    const nsid = com.atproto.server.createSession.$nsid;
    const response = await fetch(new URL(`/xrpc/${nsid}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier, password }),
    });
    if (!response.ok) throw new Error(`${url} did not sign ${identifier} in: ${response.status}`);
    const session = (await response.json()) as SessionAnswer;
    // @NOTE whoever signs people in may send them on to the PDS that has their account
    const home = session.didDoc && pdsEndpointOf(session.didDoc);
    return new PdsSession(home ?? url, toDid(session.did), session.accessJwt);
  }

  /** The token by which the PDS itself knows the person; no node may take it. */
  get accessToken(): string {
    return this.#accessJwt;
  }

  /** A token by which the PDS vouches for the person. */
  async serviceAuth({ audience, lxm, lifetimeSeconds = 60 }: TokenRequest): Promise<string> {
    const exp = String(Math.floor(Date.now() / 1000) + lifetimeSeconds);
    const query = new URLSearchParams({ aud: audience, exp, ...(lxm && { lxm }) });
    const { token } = await this.get<{ token: string }>(
      `${com.atproto.server.getServiceAuth.$nsid}?${query}`,
    );
    return token;
  }

  /** The record of a collection, or undefined. */
  async record(collection: string, rkey: string): Promise<Record<string, unknown> | undefined> {
    const query = new URLSearchParams({ repo: this.did, collection, rkey });
    const found = await this.get<{ value: Record<string, unknown> }>(
      `${com.atproto.repo.getRecord.$nsid}?${query}`,
    ).catch(() => undefined);
    return found?.value;
  }

  /** Waits for what the outbox of a node brings. */
  async eventually<T>(look: () => Promise<T>, isThere: (found: T) => boolean): Promise<T> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = await look();
      if (isThere(found) || Date.now() > deadline) return found;
      await sleep(200);
    }
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(new URL(`/xrpc/${path}`, this.url), {
      headers: { authorization: `Bearer ${this.#accessJwt}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  }
}
