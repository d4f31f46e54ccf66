import type { Did } from '@stratos/protocol';
import {
  ConfigError,
  commaList,
  commonVariables,
  did,
  parseEnvironment,
  port,
  postgresUrl,
} from '@stratos/protocol/environment';
import { z } from 'zod';
import type { NodePolicy } from './nodes/node-policy.ts';

const didList = commaList.pipe(z.array(did));

/** The environment of an indexer, as it is written. */
export const indexerVariables = z.object({
  ...commonVariables,
  DATABASE_URL: postgresUrl,
  APPVIEW_DID: did,
  APPVIEW_KEY_FILE: z.string(),
  INDEXER_FIREHOSE_URL: z
    .url({ protocol: /^(wss?|https?)$/, error: 'must be a ws(s):// or http(s):// URL' })
    .transform((url) => url.replace(/^http/, 'ws').replace(/\/$/, '')),
  INDEXER_NAME: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 of letters, digits, ".", "_" and "-"')
    .optional(),
  INDEXER_HOST: z.string().default('127.0.0.1'),
  INDEXER_PORT: port.default(3002),
  INDEXER_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').optional(),
  INDEXER_ALLOWED_NODES: didList.default([]),
  INDEXER_DENIED_NODES: didList.default([]),
  INDEXER_MAX_NODES: z.coerce.number().int().positive().default(500),
  INDEXER_MAX_MEMBERS: z.coerce.number().int().positive().default(1_000_000),
  INDEXER_LEASE_SECONDS: z.coerce.number().int().min(5).max(300).default(60),
});

export interface Config {
  databaseUrl: string;
  appViewDid: Did;
  appViewKeyFile: string;
  /** `ws(s)://` base of the PDS or relay. */
  firehoseUrl: string;
  /** Of this process among indexers: one that starts again under it takes up at once what it followed. */
  name: string | undefined;
  host: string;
  /** Port for health and status; 0 takes a free one. */
  port: number;
  /** Of who may read the metrics; nobody without one, except on this machine in development. */
  adminPassword: string | undefined;
  nodes: NodePolicy;
  /** Seconds for which a heartbeat lets a node's boundaries be served. */
  leaseSeconds: number;
  plcUrl: string;
  handleResolverUrl: string | undefined;
  devMode: boolean;
  logLevel: string;
}

/** Reads the environment. Throws {@link ConfigError}. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const values = parseEnvironment(indexerVariables, env);
  const firehose = new URL(values.INDEXER_FIREHOSE_URL);
  if (values.STRATOS_DEV_MODE && firehose.protocol === 'wss:') {
    throw new ConfigError('STRATOS_DEV_MODE: not together with a firehose over TLS');
  }
  return {
    databaseUrl: values.DATABASE_URL,
    appViewDid: values.APPVIEW_DID,
    appViewKeyFile: values.APPVIEW_KEY_FILE,
    firehoseUrl: values.INDEXER_FIREHOSE_URL,
    name: values.INDEXER_NAME,
    host: values.INDEXER_HOST,
    port: values.INDEXER_PORT,
    adminPassword: values.INDEXER_ADMIN_PASSWORD,
    nodes: {
      allowed: values.INDEXER_ALLOWED_NODES,
      denied: values.INDEXER_DENIED_NODES,
      max: values.INDEXER_MAX_NODES,
      maxMembers: values.INDEXER_MAX_MEMBERS,
    },
    leaseSeconds: values.INDEXER_LEASE_SECONDS,
    plcUrl: values.STRATOS_PLC_URL,
    handleResolverUrl: values.STRATOS_HANDLE_RESOLVER_URL,
    devMode: values.STRATOS_DEV_MODE,
    logLevel: values.LOG_LEVEL,
  };
}
