import { join } from 'node:path';
import { createGatewayLogin, migrate } from '@stratos/prisma';

import { DEMO_ACCOUNTS } from './demo/accounts.ts';
import { DEMO_POSTS } from './demo/posts.ts';
import { Progress } from './demo/progress.ts';
import { enrollDemoAccount, openDemoAccounts, writeDemoPost } from './demo/seed.ts';
import { waitForDemoTimelines } from './demo/timelines.ts';
import { type Ground, type GroundOptions, openGround } from './ground.ts';
import { LocalNetwork } from './network.ts';
import { waitForLeases } from './node-leases.ts';
import { type Report, silentReport } from './report.ts';
import { Service, type ServiceDefinition } from './service.ts';
import {
  atprotoDefinition,
  gatewayDefinition,
  indexerDefinition,
  type NetworkPlan,
  nodeDefinition,
  type ServiceName,
} from './service-definitions.ts';
import { NODE_NAMES, NODES } from './topology.ts';
import { buildWebApp } from './web-app.ts';

export interface LocalNetworkOptions extends GroundOptions {
  /** Without the demo accounts and their posts. */
  readonly bare?: boolean;
  /** Whether the gateway serves the web app, which is then built. */
  readonly webApp?: boolean;
  /** How often the nodes say that they are alive. */
  readonly heartbeatIntervalMs?: number;
  /** How long the gateway shows the boundaries of a node that is silent. */
  readonly leaseSeconds?: number;
  /** Gives up the start. */
  readonly signal?: AbortSignal;
}

/**
 * Starts a whole network on this machine: Postgres, PLC, PDS, gateway, two nodes and the indexer, each
 * service a process of its own, and the demo accounts with their first posts. Dispose it to stop all of it,
 * in reverse order.
 */
export async function startLocalNetwork(options: LocalNetworkOptions = {}): Promise<LocalNetwork> {
  const { report = silentReport, signal } = options;
  await using stack = new AsyncDisposableStack();
  const ground = stack.use(await openGround({ ...options, env: serviceEnv(options) }));
  const services = new Map<ServiceName, Service>();
  const { plan } = ground;
  const { ports } = plan;

  async function start(title: string, definition: ServiceDefinition): Promise<void> {
    signal?.throwIfAborted();
    const service = new Service(definition, plan.folder, (lost, how) => {
      report.warn(lossMessage(lost, how));
    });
    services.set(definition.name as ServiceName, stack.use(service));
    await report.step(title, () => service.start(signal));
  }

  await start(`PLC on port ${ports.plc} and PDS on port ${ports.pds}`, atprotoDefinition(plan));
  const gatewayDatabaseUrl = await report.step('AppView database', () => openAppView(plan));
  const webApp = options.webApp ? join(plan.folder.path, 'web-app') : undefined;
  if (webApp) await report.step('Web app', () => buildWebApp(webApp));
  const gateway = gatewayDefinition(plan, gatewayDatabaseUrl, webApp);
  await start(`Gateway on port ${ports.gateway}`, gateway);
  for (const name of NODE_NAMES) {
    const { port, boundaries } = NODES[name];
    const title = `Stratos node on port ${ports[port]} with ${boundaries.join(' and ')}`;
    await start(title, nodeDefinition(plan, name));
  }
  await start('Indexer', indexerDefinition(plan));

  const network = new LocalNetwork(plan, services, stack.move());
  if (options.bare) return network;
  try {
    await settleDemo(network, ground, report, signal);
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
  return network;
}

/** Brings the AppView's database to its newest version; resolves to its address for the gateway. */
async function openAppView({ databaseUrl, folder }: NetworkPlan): Promise<string> {
  await migrate(databaseUrl);
  return createGatewayLogin(databaseUrl, folder.secrets.gatewayDatabasePassword);
}

async function settleDemo(
  network: LocalNetwork,
  { plan }: Ground,
  report: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  const progress = await Progress.open(plan.folder.demo);
  const accounts = await report.step('Demo accounts on the PDS', () =>
    openDemoAccounts(plan.topology.pdsUrl),
  );
  for (const account of accounts.values()) network.accounts.set(account.handle, account);

  for (const demo of DEMO_ACCOUNTS.filter(({ boundaries }) => boundaries.length > 0)) {
    signal?.throwIfAborted();
    const account = network.account(demo.handle);
    await report.step(`${demo.handle} in ${demo.boundaries.join(' and ')}`, () =>
      enrollDemoAccount(network, demo, account, progress),
    );
  }
  await report.step('Both nodes heard by the indexer', () =>
    waitForLeases(
      plan.databaseUrl,
      Object.values(plan.topology.nodes).map(({ did }) => did),
      signal,
    ),
  );
  if (progress.has('posts')) return;
  await report.step(`${DEMO_POSTS.length} first posts`, async () => {
    for (const post of DEMO_POSTS) {
      signal?.throwIfAborted();
      await writeDemoPost(network, post, network.accounts, progress);
    }
  });
  await report.step('Every post in its timelines', () => waitForDemoTimelines(network, signal));
  await progress.once('posts', async () => true);
}

function serviceEnv(options: LocalNetworkOptions): NonNullable<GroundOptions['env']> {
  const { env = {}, heartbeatIntervalMs, leaseSeconds } = options;
  const all = settings({ LOG_LEVEL: process.env['LOG_LEVEL'] });
  const node = { ...all, ...settings({ STRATOS_HEARTBEAT_INTERVAL_MS: heartbeatIntervalMs }) };
  const indexer = {
    ...all,
    ...settings({ INDEXER_NAME: 'local', INDEXER_LEASE_SECONDS: leaseSeconds }),
  };
  return {
    ...env,
    gateway: { ...all, ...env.gateway },
    swordsmith: { ...node, ...env.swordsmith },
    sailors: { ...node, ...env.sailors },
    indexer: { ...indexer, ...env.indexer },
  };
}

function settings(values: Record<string, string | number | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value ? [[name, String(value)]] : [])),
  );
}

function lossMessage(service: Service, how: string): string {
  return [
    `The service '${service.name}' has ended (${how}); everything else goes on. Its log: ${service.logFile}`,
    `Start it again with: ${service.startCommand}`,
  ].join('\n');
}
