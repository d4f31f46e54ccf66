import { dirname, join } from 'node:path';
import type { Did } from '@stratos/protocol';
import {
  ConfigError,
  commaList,
  commonVariables,
  did,
  flag,
  httpUrl,
  parseEnvironment,
  port,
  postgresUrl,
  refuseDevModeInPublic,
} from '@stratos/protocol/environment';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { LiveLimits } from './live/limits.ts';

const accounts = z.string().transform((value, context) => {
  const list = value.split(',').filter(Boolean);
  return list.map((entry) => {
    const [handle, password, ...rest] = entry.split(':');
    if (!handle || !password || rest.length > 0) {
      context.addIssue({ code: 'custom', message: 'must be handle:password,handle:password,…' });
    }
    return { handle: handle ?? '', password: password ?? '' };
  });
});

const count = z.coerce.number().int().min(1);

const corsOrigins = commaList.refine(
  (list) =>
    list.every((item) => item === '*' || (URL.canParse(item) && new URL(item).origin === item)),
  'must be origins like https://app.example.com, or *',
);

const NETWORKS = new Set(['loopback', 'linklocal', 'uniquelocal']);
const proxies = commaList.refine(
  (list) =>
    list.every((item) => NETWORKS.has(item) || ipaddr.isValid(item) || ipaddr.isValidCIDR(item)),
  'must be addresses or networks',
);

/** Every variable that a gateway reads. */
export const gatewayVariables = z.object({
  ...commonVariables,
  DATABASE_URL: postgresUrl,
  GATEWAY_KEEP_PLANS: flag.default(true),
  GATEWAY_PORT: port.default(4000),
  GATEWAY_PUBLIC_URL: httpUrl,
  GATEWAY_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').optional(),
  APPVIEW_DID: did,
  APPVIEW_KEY_FILE: z.string(),
  GATEWAY_SESSION_KEY_FILE: z.string().optional(),
  GATEWAY_REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// URL' }).optional(),
  GATEWAY_BEARER_SESSIONS: flag.default(true),
  GATEWAY_LIVE_STREAMS: count.default(10_000),
  GATEWAY_LIVE_STREAMS_PER_VIEWER: count.default(20),
  GATEWAY_CORS_ORIGINS: corsOrigins.default(['*']),
  GATEWAY_TRUSTED_PROXIES: proxies.default([]),
  GATEWAY_INTROSPECTION: flag.optional(),
  GATEWAY_TRUSTED_DOCUMENTS: z.string().optional(),
  GATEWAY_QUERY_COST: count.default(10_000),
  GATEWAY_VIEWER_COST_PER_MINUTE: count.default(100_000),
  GATEWAY_STRANGER_REQUESTS_PER_MINUTE: count.default(300),
  GATEWAY_CONTENT: z.enum(['store', 'hydrate']).default('store'),
  GATEWAY_CONTENT_CACHE_MB: count.default(64),
  GATEWAY_WEB_APP: z.string().optional(),
  GATEWAY_WEB_APP_NODES: commaList.pipe(z.array(did)).default([]),
  GATEWAY_DEMO_PDS_URL: httpUrl.optional(),
  GATEWAY_DEMO_ACCOUNTS: accounts.optional(),
});

/** An account that GraphiQL offers to sign in with. For the local network only. */
export interface DemoAccount {
  handle: string;
  password: string;
}

/** How a gateway is set up. */
export interface GatewayConfig {
  logLevel: string;
  databaseUrl: string;
  /** Whether connections keep the plans of statements, which not every pooler lets them. */
  keepsPlans: boolean;
  port: number;
  /** Base URL under which the world reaches it, without a trailing slash. */
  publicUrl: string;
  /** Of who may read the metrics; nobody without one, except on this machine in development. */
  adminPassword: string | undefined;
  /** The DID that it answers for: audience of service-auth, issuer of sessions. */
  appViewDid: Did;
  /** secp256k1 key of that DID. */
  appViewKeyFile: string;
  /** P-256 key of sessions, cursors and DPoP nonces. Gateways that share it accept each other's. */
  sessionKeyFile: string;
  /** Where single-use tokens are remembered when several gateways run. */
  redisUrl: string | undefined;
  /** Whether sessions that are not bound by DPoP are given and accepted. */
  bearerSessions: boolean;
  /** Origins whose pages may call; `*` for all. */
  corsOrigins: string[];
  /** Whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
  limits: {
    /** Whether the schema may be asked for. */
    introspection: boolean;
    /** JSON file of the only GraphQL documents that are run. */
    trustedDocumentsFile: string | undefined;
    /** Cost of one query, and of all that one viewer asks in a minute. */
    queryCost: number;
    viewerCostPerMinute: number;
    /** Requests of one network address in a minute that do not prove who asks. */
    strangerRequestsPerMinute: number;
  };
  /** Limits of live updates that are not the usual ones. */
  live: Partial<LiveLimits>;
  /** Where records come from: the database, or the nodes that hold them. */
  content: 'store' | 'hydrate';
  /** Bytes of records from nodes that are kept in memory. */
  contentCacheBytes: number;
  /** The web app: the folder of its files, and the nodes that it offers. */
  webApp: { folder: string; nodes: Did[] } | undefined;
  demo: { pdsUrl: string; accounts: DemoAccount[] } | undefined;
  plcUrl: string;
  /** Asked for handles, instead of DNS. */
  handleResolverUrl: string | undefined;
  /** Allows http and private addresses when asking others. */
  devMode: boolean;
}

/** Reads the environment. Throws {@link ConfigError}. */
export function readConfig(env: Record<string, string | undefined>): GatewayConfig {
  const data = parseEnvironment(gatewayVariables, env);
  const demo = demoOf(data);
  refuseDevModeInPublic(data.STRATOS_DEV_MODE, data.GATEWAY_PUBLIC_URL, 'GATEWAY_PUBLIC_URL');
  if (demo && data.GATEWAY_PUBLIC_URL.startsWith('https:')) {
    throw new ConfigError('GATEWAY_DEMO_ACCOUNTS: not with an https GATEWAY_PUBLIC_URL');
  }
  return {
    logLevel: data.LOG_LEVEL,
    databaseUrl: data.DATABASE_URL,
    keepsPlans: data.GATEWAY_KEEP_PLANS,
    port: data.GATEWAY_PORT,
    publicUrl: data.GATEWAY_PUBLIC_URL,
    adminPassword: data.GATEWAY_ADMIN_PASSWORD,
    appViewDid: data.APPVIEW_DID,
    appViewKeyFile: data.APPVIEW_KEY_FILE,
    sessionKeyFile:
      data.GATEWAY_SESSION_KEY_FILE ?? join(dirname(data.APPVIEW_KEY_FILE), 'gateway-session.key'),
    redisUrl: data.GATEWAY_REDIS_URL,
    bearerSessions: data.GATEWAY_BEARER_SESSIONS,
    corsOrigins: data.GATEWAY_CORS_ORIGINS,
    trustedProxies: data.GATEWAY_TRUSTED_PROXIES,
    limits: {
      introspection: data.GATEWAY_INTROSPECTION ?? data.STRATOS_DEV_MODE,
      trustedDocumentsFile: data.GATEWAY_TRUSTED_DOCUMENTS,
      queryCost: data.GATEWAY_QUERY_COST,
      viewerCostPerMinute: data.GATEWAY_VIEWER_COST_PER_MINUTE,
      strangerRequestsPerMinute: data.GATEWAY_STRANGER_REQUESTS_PER_MINUTE,
    },
    live: {
      streams: data.GATEWAY_LIVE_STREAMS,
      streamsPerViewer: data.GATEWAY_LIVE_STREAMS_PER_VIEWER,
    },
    content: data.GATEWAY_CONTENT,
    contentCacheBytes: data.GATEWAY_CONTENT_CACHE_MB * 2 ** 20,
    webApp: data.GATEWAY_WEB_APP
      ? { folder: data.GATEWAY_WEB_APP, nodes: data.GATEWAY_WEB_APP_NODES }
      : undefined,
    demo,
    plcUrl: data.STRATOS_PLC_URL,
    handleResolverUrl: data.STRATOS_HANDLE_RESOLVER_URL,
    devMode: data.STRATOS_DEV_MODE,
  };
}

function demoOf(data: z.infer<typeof gatewayVariables>): GatewayConfig['demo'] {
  const { GATEWAY_DEMO_PDS_URL: pdsUrl, GATEWAY_DEMO_ACCOUNTS: accounts = [] } = data;
  if (!pdsUrl && accounts.length === 0) return undefined;
  if (!pdsUrl) throw new ConfigError('GATEWAY_DEMO_PDS_URL: needed by GATEWAY_DEMO_ACCOUNTS');
  return { pdsUrl, accounts };
}
