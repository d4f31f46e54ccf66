import { toDid } from '@stratos/protocol';
import { z } from 'zod';

const boolean = z
  .enum(['true', 'false', '1', '0'])
  .transform((text) => text === 'true' || text === '1');
const port = z.coerce.number().int().min(0).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/$/, ''));
const did = z.string().transform((text, context) => {
  try {
    return toDid(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'not a DID' });
    return z.NEVER;
  }
});

const environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  APPVIEW_DID: did,
  APPVIEW_KEY_FILE: z.string().min(1),
  INDEXER_FIREHOSE_URL: z
    .url({ protocol: /^(wss?|https?)$/ })
    .transform((url) => url.replace(/^http/, 'ws').replace(/\/$/, '')),
  INDEXER_HOST: z.string().default('127.0.0.1'),
  INDEXER_PORT: port.default(3002),
  INDEXER_LEASE_SECONDS: z.coerce.number().int().min(5).max(300).default(60),
  STRATOS_PLC_URL: httpUrl.default('https://plc.directory'),
  STRATOS_HANDLE_RESOLVER_URL: httpUrl.optional(),
  STRATOS_DEV_MODE: boolean.default(false),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

export interface Config {
  databaseUrl: string;
  appViewDid: ReturnType<typeof toDid>;
  appViewKeyFile: string;
  /** `ws(s)://` base of the PDS or relay. */
  firehoseUrl: string;
  host: string;
  /** Port for health and status; 0 takes a free one. */
  port: number;
  /** Seconds for which a heartbeat lets a node's boundaries be served. */
  leaseSeconds: number;
  plcUrl: string;
  handleResolverUrl: string | undefined;
  devMode: boolean;
  logLevel: string;
}

/** A variable of the environment that is missing or wrong. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** @throws ConfigError that names each variable at fault, and none of their values */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const filled = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(filled);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ConfigError(faults.join('; '));
  }
  const values = parsed.data;
  const firehose = new URL(values.INDEXER_FIREHOSE_URL);
  if (values.STRATOS_DEV_MODE && firehose.protocol === 'wss:') {
    throw new ConfigError('STRATOS_DEV_MODE: not together with a firehose over TLS');
  }
  return {
    databaseUrl: values.DATABASE_URL,
    appViewDid: values.APPVIEW_DID,
    appViewKeyFile: values.APPVIEW_KEY_FILE,
    firehoseUrl: values.INDEXER_FIREHOSE_URL,
    host: values.INDEXER_HOST,
    port: values.INDEXER_PORT,
    leaseSeconds: values.INDEXER_LEASE_SECONDS,
    plcUrl: values.STRATOS_PLC_URL,
    handleResolverUrl: values.STRATOS_HANDLE_RESOLVER_URL,
    devMode: values.STRATOS_DEV_MODE,
    logLevel: values.LOG_LEVEL,
  };
}
