import {
  createDidResolver,
  createHandleResolver,
  type DidResolver,
  findPerson,
  type HandleResolver,
  openGatewaySession,
  type Pds,
  type Session,
} from '@stratos/client';
import { createStratosClient, type StratosClient } from '@stratos/client-trpc';
import { createContext } from 'svelte';
import { Changes } from '../compose/changes.svelte.ts';
import { Outgoing } from '../compose/outgoing.svelte.ts';
import type { Config } from '../config.ts';
import { Feeds } from '../feed/feeds.ts';
import { Live } from '../feed/live.svelte.ts';
import { NodeSessions } from './node-sessions.ts';
import type { OAuthSession } from './oauth.ts';

const NO_HANDLE = 'handle.invalid';

interface Parts {
  config: Config;
  oauth: OAuthSession;
  pds: Pds;
  gateway: Session;
  handle: string;
}

/** Somebody who is signed in, and everything that is theirs on this page. It goes as a whole. */
export class SignedIn {
  readonly did: string;
  handle: string = $state('');
  readonly config: Config;
  readonly oauth: OAuthSession;
  readonly pds: Pds;
  readonly gateway: Session;
  readonly stratos: StratosClient;
  readonly dids: DidResolver;
  readonly handles: HandleResolver;
  readonly nodes: NodeSessions;
  readonly live: Live;
  readonly feeds: Feeds;
  readonly outgoing: Outgoing;
  readonly changes: Changes;

  private constructor({ config, oauth, pds, gateway, handle }: Parts, stratos: StratosClient) {
    this.did = gateway.did;
    this.handle = handle;
    this.config = config;
    this.pds = pds;
    this.gateway = gateway;
    this.stratos = stratos;
    this.oauth = oauth;
    this.dids = createDidResolver({ plcUrl: config.plcUrl });
    this.handles = createHandleResolver({ service: config.handleResolver });
    this.nodes = new NodeSessions(pds, this.dids);
    this.live = new Live(stratos);
    this.feeds = new Feeds(this);
    this.outgoing = new Outgoing(this);
    this.changes = new Changes(this);
    this.live.start();
  }

  /** Opens a session of the gateway. Throws what that throws. */
  static async open(oauth: OAuthSession, config: Config): Promise<SignedIn> {
    const pds: Pds = { fetchHandler: (path, init) => oauth.fetchHandler(path, init) };
    const gateway = await openGatewaySession({ pds, gateway: config.gateway });
    const stratos = createStratosClient({ gateway: gateway.url, session: gateway });
    const { handle } = await stratos.viewer.query();
    const person = new SignedIn({ config, oauth, pds, gateway, handle }, stratos);
    if (handle === NO_HANDLE) person.#findHandle();
    return person;
  }

  /** A gateway that has no post of theirs does not know their handle. */
  async #findHandle(): Promise<void> {
    const { did, dids, handles } = this;
    const found = await findPerson(did, { dids, handles }).catch(() => undefined);
    this.handle = found?.handle ?? did;
  }
}

export const [signedIn, setSignedIn] = createContext<SignedIn>();
