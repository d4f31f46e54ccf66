import { dirname, join } from 'node:path';
import type { Did } from '@stratos/protocol';
import {
  ConfigError,
  commonVariables,
  did,
  flag,
  httpUrl,
  parseEnvironment,
  port,
  postgresUrl,
  refuseDevModeInPublic,
} from '@stratos/protocol/environment';
import { z } from 'zod';

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

const variables = z.object({
  ...commonVariables,
  DATABASE_URL: postgresUrl,
  GATEWAY_PORT: port.default(4000),
  GATEWAY_PUBLIC_URL: httpUrl,
  APPVIEW_DID: did,
  APPVIEW_KEY_FILE: z.string(),
  GATEWAY_SESSION_KEY_FILE: z.string().optional(),
  GATEWAY_REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// URL' }).optional(),
  GATEWAY_BEARER_SESSIONS: flag.default(true),
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
  port: number;
  /** Base URL under which the world reaches it, without a trailing slash. */
  publicUrl: string;
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
  demo: { pdsUrl: string; accounts: DemoAccount[] } | undefined;
  plcUrl: string;
  /** Allows http and private addresses when asking others. */
  devMode: boolean;
}

/** Reads the environment. Throws {@link ConfigError}. */
export function readConfig(env: Record<string, string | undefined>): GatewayConfig {
  const data = parseEnvironment(variables, env);
  const demo = demoOf(data);
  refuseDevModeInPublic(data.STRATOS_DEV_MODE, data.GATEWAY_PUBLIC_URL, 'GATEWAY_PUBLIC_URL');
  if (demo && data.GATEWAY_PUBLIC_URL.startsWith('https:')) {
    throw new ConfigError('GATEWAY_DEMO_ACCOUNTS: not with an https GATEWAY_PUBLIC_URL');
  }
  return {
    logLevel: data.LOG_LEVEL,
    databaseUrl: data.DATABASE_URL,
    port: data.GATEWAY_PORT,
    publicUrl: data.GATEWAY_PUBLIC_URL,
    appViewDid: data.APPVIEW_DID,
    appViewKeyFile: data.APPVIEW_KEY_FILE,
    sessionKeyFile:
      data.GATEWAY_SESSION_KEY_FILE ?? join(dirname(data.APPVIEW_KEY_FILE), 'gateway-session.key'),
    redisUrl: data.GATEWAY_REDIS_URL,
    bearerSessions: data.GATEWAY_BEARER_SESSIONS,
    demo,
    plcUrl: data.STRATOS_PLC_URL,
    devMode: data.STRATOS_DEV_MODE,
  };
}

function demoOf(data: z.infer<typeof variables>): GatewayConfig['demo'] {
  const { GATEWAY_DEMO_PDS_URL: pdsUrl, GATEWAY_DEMO_ACCOUNTS: accounts = [] } = data;
  if (!pdsUrl && accounts.length === 0) return undefined;
  if (!pdsUrl) throw new ConfigError('GATEWAY_DEMO_PDS_URL: needed by GATEWAY_DEMO_ACCOUNTS');
  return { pdsUrl, accounts };
}
