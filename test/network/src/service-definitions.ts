import type { DataFolder } from './data-folder.ts';
import { DEMO_ACCOUNTS, DEMO_PASSWORD } from './demo/accounts.ts';
import type { Ports } from './ports.ts';
import type { ServiceDefinition } from './service.ts';
import { NODE_NAMES, NODES, type NodeName, type Topology } from './topology.ts';

export const SERVICE_NAMES = ['atproto', 'gateway', ...NODE_NAMES, 'indexer'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Everything that the services of one network have to be told. */
export interface NetworkPlan {
  readonly ports: Ports;
  readonly topology: Topology;
  readonly folder: DataFolder;
  readonly plcDatabaseUrl: string;
  readonly databaseUrl: string;
  /** What single services are told beside or instead of what the network tells them. */
  readonly env: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
}

export function atprotoDefinition(plan: NetworkPlan): ServiceDefinition {
  const { ports, topology, folder } = plan;
  return {
    name: 'atproto',
    script: 'test/network/src/atproto.ts',
    readyUrls: [`${topology.plcUrl}/_health`, `${topology.pdsUrl}/xrpc/_health`],
    env: {
      PLC_PORT: String(ports.plc),
      PLC_DATABASE_URL: plan.plcDatabaseUrl,
      PDS_PORT: String(ports.pds),
      PDS_HOSTNAME: 'localhost',
      PDS_SERVICE_DID: `did:web:localhost%3A${ports.pds}`,
      PDS_SERVICE_NAME: 'Local PDS',
      PDS_SERVICE_HANDLE_DOMAINS: '.test',
      PDS_DATA_DIRECTORY: folder.pds,
      PDS_BLOBSTORE_DISK_LOCATION: `${folder.pds}/blobs`,
      PDS_DID_PLC_URL: topology.plcUrl,
      PDS_DEV_MODE: 'true',
      PDS_DISABLE_SSRF_PROTECTION: 'true',
      PDS_INVITE_REQUIRED: 'false',
      PDS_JWT_SECRET: folder.secrets.pdsJwtSecret,
      PDS_DPOP_SECRET: folder.secrets.pdsDpopSecret,
      PDS_ADMIN_PASSWORD: folder.secrets.pdsAdminPassword,
      PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: folder.secrets.pdsRotationKey,
      LOG_ENABLED: 'true',
      LOG_LEVEL: 'warn',
      ...plan.env.atproto,
    },
  };
}

/**
 * @param databaseUrl - of the AppView, for the role of the gateway
 * @param webApp - the folder in which the web app was built
 */
export function gatewayDefinition(
  plan: NetworkPlan,
  databaseUrl: string,
  webApp: string | undefined,
): ServiceDefinition {
  const { ports, topology, folder } = plan;
  return {
    name: 'gateway',
    script: 'gateway/src/main.ts',
    readyUrls: [`${topology.gateway.url}/ready`],
    env: {
      ...identityEnv(topology),
      GATEWAY_PORT: String(ports.gateway),
      GATEWAY_PUBLIC_URL: topology.gateway.url,
      APPVIEW_DID: topology.gateway.did,
      APPVIEW_KEY_FILE: folder.appViewKey,
      DATABASE_URL: databaseUrl,
      ...(webApp !== undefined && { GATEWAY_WEB_APP: webApp }),
      GATEWAY_WEB_APP_NODES: Object.values(topology.nodes)
        .map(({ did }) => did)
        .join(),
      GATEWAY_DEMO_PDS_URL: topology.pdsUrl,
      GATEWAY_DEMO_ACCOUNTS: DEMO_ACCOUNTS.map(({ handle }) => `${handle}:${DEMO_PASSWORD}`).join(),
      ...plan.env.gateway,
    },
  };
}

export function nodeDefinition(plan: NetworkPlan, name: NodeName): ServiceDefinition {
  const { ports, topology, folder } = plan;
  const { did, url } = topology.nodes[name];
  return {
    name,
    script: 'stratos-node/src/main.ts',
    readyUrls: [`${url}/ready`],
    env: {
      ...identityEnv(topology),
      STRATOS_SERVICE_DID: did,
      STRATOS_PUBLIC_URL: url,
      STRATOS_PORT: String(ports[NODES[name].port]),
      STRATOS_DATA_DIR: folder.node(name),
      STRATOS_ALLOWED_DOMAINS: NODES[name].boundaries.join(),
      STRATOS_ENROLLMENT_MODE: 'allowlist',
      STRATOS_ALLOWED_PDS_ENDPOINTS: topology.pdsUrl,
      STRATOS_ALLOWED_APPVIEWS: topology.gateway.did,
      STRATOS_OAUTH_REDIRECT_ORIGINS: loopbackOf(topology.gateway.url),
      STRATOS_ADMIN_PASSWORD: folder.secrets.nodeAdminPassword,
      ...plan.env[name],
    },
  };
}

export function indexerDefinition(plan: NetworkPlan): ServiceDefinition {
  const { ports, topology, folder } = plan;
  return {
    name: 'indexer',
    script: 'indexer/src/main.ts',
    readyUrls: [`${topology.indexerUrl}/ready`],
    env: {
      ...identityEnv(topology),
      INDEXER_PORT: String(ports.indexer),
      INDEXER_FIREHOSE_URL: topology.pdsUrl.replace(/^http/, 'ws'),
      APPVIEW_DID: topology.gateway.did,
      APPVIEW_KEY_FILE: folder.appViewKey,
      DATABASE_URL: plan.databaseUrl,
      ...plan.env.indexer,
    },
  };
}

function identityEnv(topology: Topology): Record<string, string> {
  return {
    STRATOS_PLC_URL: topology.plcUrl,
    STRATOS_HANDLE_RESOLVER_URL: topology.pdsUrl,
    STRATOS_DEV_MODE: 'true',
  };
}

/** The address at which pages of the gateway are: OAuth comes back to the loopback alone. */
function loopbackOf(url: string): string {
  return url.replace('localhost', '127.0.0.1');
}
