import { once } from 'node:events';
import { createServer } from 'node:http';
import { appViewDidDocument, SigningKey } from '@stratos/protocol';
import { Account } from '../../network/src/account.ts';
import { enrollAccount } from '../../network/src/enroll-account.ts';
import { openGround } from '../../network/src/ground.ts';
import { NodeAdmin } from '../../network/src/node-admin.ts';
import { Service, type ServiceDefinition } from '../../network/src/service.ts';
import {
  atprotoDefinition,
  type NetworkPlan,
  nodeDefinition,
} from '../../network/src/service-definitions.ts';
import type { NodeName } from '../../network/src/topology.ts';
import { meetPeople } from '../world/accounts.ts';
import { AppView } from '../world/caller.ts';
import { RemoteNode } from '../world/node.ts';
import { Operator } from '../world/operator.ts';
import { World } from '../world/world.ts';

export type Backend = 'sqlite' | 'postgres';

/** Which node of the network keeps its data how. */
const NODE_OF: Record<Backend, NodeName> = { sqlite: 'swordsmith', postgres: 'sailors' };
const DOMAINS = ['forge', 'harbour'];
const PASSWORD = 'conformance';
const PEOPLE = [
  { handle: 'hana.test', domains: ['forge'] },
  { handle: 'yuki.test', domains: ['forge'] },
  { handle: 'sora.test', domains: ['harbour'] },
];
const NEWCOMER = 'nozomi.test';

/** As an operator would set it, but with limits that a suite in a hurry does not meet. */
const SETTINGS = {
  STRATOS_ALLOWED_DOMAINS: DOMAINS.join(),
  STRATOS_HEARTBEAT_INTERVAL_MS: '1000',
  STRATOS_WRITE_RATE_MAX_WRITES: '100000',
  STRATOS_IP_RATE_MAX_REQUESTS: '100000',
  LOG_LEVEL: 'warn',
};

/**
 * A PLC directory, a PDS and a node for each of the backends, all on this machine, with people who
 * were enrolled through the PDS's own sign-in pages.
 */
export class LocalNodes implements AsyncDisposable {
  readonly #worlds: ReadonlyMap<Backend, World>;
  readonly #owned: AsyncDisposableStack;

  private constructor(worlds: ReadonlyMap<Backend, World>, owned: AsyncDisposableStack) {
    this.#worlds = worlds;
    this.#owned = owned;
  }

  static async start(backends: readonly Backend[]): Promise<LocalNodes> {
    await using stack = new AsyncDisposableStack();
    const { plan } = stack.use(await openGround({ ephemeral: true, ports: 'free' }));
    const { folder, topology } = plan;
    const key = SigningKey.generate('secp256k1');
    const document = appViewDidDocument({
      did: topology.gateway.did,
      publicUrl: topology.gateway.url,
      signingKey: key.did(),
    });
    stack.use(await serveJson(plan.ports.gateway, document));
    const start = async (definition: ServiceDefinition) => {
      const service = stack.use(new Service(definition, folder, () => undefined));
      await service.start();
    };
    await start(atprotoDefinition(plan));
    const password = folder.secrets.nodeAdminPassword;
    const handles = [...PEOPLE.map(({ handle }) => handle), NEWCOMER];
    const accounts = handles.map((handle) => ({ handle, password: PASSWORD }));
    const known = await Promise.all(
      accounts.map((account) => Account.signInOrCreate(topology.pdsUrl, account)),
    );
    const worlds = new Map<Backend, World>();
    for (const backend of backends) {
      const { url } = topology.nodes[NODE_OF[backend]];
      await start(nodeWith(backend, plan));
      const node = await RemoteNode.find(new URL(url));
      const admin = new NodeAdmin(url, password);
      for (const [i, { handle, domains }] of PEOPLE.entries()) {
        await enrollAccount(url, { username: handle, password: PASSWORD });
        const boundaries = domains.map((name) => `${node.did}/${name}`);
        await admin.setBoundaries(known[i]?.did ?? '', boundaries);
      }
      const entries = accounts.map((account) => ({
        ...account,
        pds: topology.pdsUrl,
        newcomer: account.handle === NEWCOMER,
      }));
      worlds.set(
        backend,
        new World({
          node,
          ...(await meetPeople(node, entries)),
          operator: new Operator(node, password),
          appView: new AppView(node, topology.gateway.did, key),
        }),
      );
    }
    return new LocalNodes(worlds, stack.move());
  }

  world(backend: Backend): World {
    const world = this.#worlds.get(backend);
    if (!world) throw new Error(`no node with ${backend} was started`);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** The node of the network that keeps its data in this way. */
function nodeWith(backend: Backend, plan: NetworkPlan): ServiceDefinition {
  const definition = nodeDefinition(plan, NODE_OF[backend]);
  const storage = { STORAGE_BACKEND: backend, STRATOS_POSTGRES_URL: plan.databaseUrl };
  return { ...definition, env: { ...definition.env, ...SETTINGS, ...storage } };
}

async function serveJson(port: number, body: unknown): Promise<AsyncDisposable> {
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
