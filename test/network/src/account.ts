import { AtpAgent } from '@atproto/api';
import type { Did } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { procedure } from './xrpc.ts';

const DEFAULT_LIFETIME_SECONDS = 60;

export interface AccountName {
  readonly handle: string;
  readonly password: string;
}

/** What a service-auth token is for. */
export interface ServiceAuthRequest {
  readonly audience: string;
  readonly lxm: string;
  /** 60 unless told; a PDS allows an hour. */
  readonly lifetimeSeconds?: number;
}

export interface GatewaySession {
  readonly did: Did;
  readonly token: string;
  readonly expiresAt: string;
}

export type PostReference = com.atproto.repo.strongRef.Main;

/** A person on the PDS, signed in with their password. */
export class Account implements AccountName {
  readonly did: Did;
  readonly handle: string;
  readonly password: string;
  readonly #agent: AtpAgent;

  private constructor(agent: AtpAgent, name: AccountName) {
    this.#agent = agent;
    this.did = agent.assertDid as Did;
    this.handle = name.handle;
    this.password = name.password;
  }

  /** Throws when the PDS does not know the account or the password. */
  static async signIn(pdsUrl: string, name: AccountName): Promise<Account> {
    const agent = new AtpAgent({ service: pdsUrl });
    await agent.login({ identifier: name.handle, password: name.password });
    return new Account(agent, name);
  }

  /** Makes the account with the e-mail address `<name>@example.test`, or signs in to it. */
  static async signInOrCreate(pdsUrl: string, name: AccountName): Promise<Account> {
    const agent = new AtpAgent({ service: pdsUrl });
    const known = await agent.resolveHandle({ handle: name.handle }).then(
      () => true,
      () => false,
    );
    if (known) return Account.signIn(pdsUrl, name);
    const email = `${name.handle.split('.')[0]}@example.test`;
    await agent.createAccount({ ...name, email });
    return new Account(agent, name);
  }

  /** The PDS of the account, for everything else that a person does there. */
  get pds(): AtpAgent {
    return this.#agent;
  }

  /** A single-use token by which the PDS says who calls. */
  async serviceAuth({ audience, lxm, lifetimeSeconds }: ServiceAuthRequest): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const { data } = await this.#agent.com.atproto.server.getServiceAuth({
      aud: audience,
      lxm,
      exp: now + (lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS),
    });
    return data.token;
  }

  /** Exchanges a service-auth token for a session of the gateway. */
  async gatewaySession(gateway: { did: string; url: string }): Promise<GatewaySession> {
    const lxm = zone.stratos.gateway.createSession.$lxm;
    const token = await this.serviceAuth({ audience: gateway.did, lxm });
    return procedure(gateway.url, lxm, undefined, { authorization: `Bearer ${token}` });
  }

  /** Writes a post to a node. The boundaries are qualified and all of that node. */
  async post(
    node: { did: string; url: string },
    post: { text: string; boundaries: readonly string[]; reply?: zone.stratos.feed.post.ReplyRef },
  ): Promise<PostReference> {
    const lxm = com.atproto.repo.createRecord.$lxm;
    const token = await this.serviceAuth({ audience: node.did, lxm });
    const record = {
      $type: zone.stratos.feed.post.$nsid,
      text: post.text,
      boundary: {
        $type: `${zone.stratos.boundary.defs.Domains.$type}`,
        values: post.boundaries.map((value) => ({ value })),
      },
      ...(post.reply ? { reply: post.reply } : {}),
      langs: ['en'],
      createdAt: new Date().toISOString(),
    };
    const body = { repo: this.did, collection: zone.stratos.feed.post.$nsid, record };
    const { uri, cid } = await procedure<PostReference>(node.url, lxm, body, {
      authorization: `Bearer ${token}`,
    });
    return { uri, cid };
  }
}
