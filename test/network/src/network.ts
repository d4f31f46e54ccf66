import { type Boundary, qualifyBoundary } from '@stratos/protocol';
import type { zone } from '@stratos/protocol/lexicons';
import {
  Account,
  type GatewaySession,
  type PostReference,
  type ServiceAuthRequest,
} from './account.ts';
import { enrollAccount } from './enroll-account.ts';
import { NodeAdmin } from './node-admin.ts';
import type { Service } from './service.ts';
import type { NetworkPlan, ServiceName } from './service-definitions.ts';
import { type BoundaryName, type NodeName, nodeOf, type Topology } from './topology.ts';

/** A network that runs, and everything that a test or a person does with it. */
export class LocalNetwork implements AsyncDisposable {
  readonly topology: Topology;
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** The operators of the nodes. */
  readonly nodes: Readonly<Record<NodeName, NodeAdmin>>;
  /** By handle; more join by {@link createAccount}. */
  readonly accounts = new Map<string, Account>();
  readonly #services: ReadonlyMap<ServiceName, Service>;
  readonly #owned: AsyncDisposableStack;

  constructor(
    plan: NetworkPlan,
    services: ReadonlyMap<ServiceName, Service>,
    owned: AsyncDisposableStack,
  ) {
    const password = plan.folder.secrets.nodeAdminPassword;
    this.topology = plan.topology;
    this.databaseUrl = plan.databaseUrl;
    this.dataDir = plan.folder.path;
    this.nodes = {
      swordsmith: new NodeAdmin(plan.topology.nodes.swordsmith.url, password),
      sailors: new NodeAdmin(plan.topology.nodes.sailors.url, password),
    };
    this.#services = services;
    this.#owned = owned;
  }

  /** A process of the network, to be killed and started again. */
  service(name: ServiceName): Service {
    const service = this.#services.get(name);
    if (!service) throw new Error(`No service ${name}`);
    return service;
  }

  account(handle: string): Account {
    const account = this.accounts.get(handle);
    if (!account) throw new Error(`No account ${handle}`);
    return account;
  }

  /** The qualified form of a boundary of this network. */
  boundary(name: BoundaryName): Boundary {
    return qualifyBoundary(this.topology.nodes[nodeOf(name)].did, name);
  }

  async createAccount(handle: string, password = 'password'): Promise<Account> {
    const account = await Account.signInOrCreate(this.topology.pdsUrl, { handle, password });
    this.accounts.set(handle, account);
    return account;
  }

  /** Takes an account through the OAuth flow of a node; the node's operator then sets its boundaries. */
  async enroll(
    handle: string,
    node: NodeName,
    boundaries?: readonly BoundaryName[],
  ): Promise<void> {
    const { did, password } = this.account(handle);
    await enrollAccount(this.topology.nodes[node].url, { username: handle, password });
    if (boundaries) {
      await this.nodes[node].setBoundaries(
        did,
        boundaries.map((name) => this.boundary(name)),
      );
    }
  }

  /** A single-use token from the person's PDS. */
  serviceAuth(handle: string, request: ServiceAuthRequest): Promise<string> {
    return this.account(handle).serviceAuth(request);
  }

  /** A session of the gateway, good for ten minutes. */
  gatewaySession(handle: string): Promise<GatewaySession> {
    return this.account(handle).gatewaySession(this.topology.gateway);
  }

  /** Writes a post to the node that has the boundaries. */
  post(
    handle: string,
    boundaries: readonly [BoundaryName, ...BoundaryName[]],
    text: string,
    reply?: zone.stratos.feed.post.ReplyRef,
  ): Promise<PostReference> {
    const node = this.topology.nodes[nodeOf(boundaries[0])];
    return this.account(handle).post(node, {
      text,
      boundaries: boundaries.map((name) => this.boundary(name)),
      ...(reply ? { reply } : {}),
    });
  }

  /** Stops every service in reverse order; with an ephemeral network the data goes too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
