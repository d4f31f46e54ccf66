import {
  commaList,
  commonVariables,
  did,
  flag,
  httpUrl,
  port,
  postgresUrl,
} from '@stratos/protocol/environment';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

const didList = commaList.pipe(z.array(did));
const origins = commaList.pipe(z.array(httpUrl.transform((value) => new URL(value).origin)));
const count = z.coerce.number().int().positive();
const text = z.string().min(1);
const webPage = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });

/** The environment of a node, as it is written. */
export const nodeVariables = z.object({
  ...commonVariables,
  STRATOS_SERVICE_DID: did,
  STRATOS_PUBLIC_URL: httpUrl,
  STRATOS_PORT: port.default(3100),
  STRATOS_TRUSTED_PROXIES: commaList.default([]),
  STRATOS_DATA_DIR: text.default('./data'),

  STORAGE_BACKEND: z.enum(['sqlite', 'postgres']).default('sqlite'),
  STRATOS_POSTGRES_URL: postgresUrl.optional(),
  STRATOS_PG_HOST: text.optional(),
  STRATOS_PG_PORT: port.default(5432),
  STRATOS_PG_USERNAME: text.default('stratos'),
  STRATOS_PG_PASSWORD: text.optional(),
  STRATOS_PG_DBNAME: text.default('stratos'),
  STRATOS_PG_SSLMODE: z.enum(['disable', 'require', 'verify-full']).default('require'),
  STRATOS_PG_ACTOR_POOL_SIZE: count.default(20),
  STRATOS_PG_ADMIN_POOL_SIZE: count.default(3),
  STRATOS_BLOCK_CACHE_SIZE: z.coerce.number().int().min(0).default(50_000),
  STRATOS_VALKEY_URL: z
    .url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' })
    .optional(),
  STRATOS_RETENTION_DAYS: z.coerce.number().positive().default(30),

  STRATOS_BLOB_STORAGE: z.enum(['local', 's3']).default('local'),
  STRATOS_BLOB_MAX_BYTES: count.default(50 * MEBIBYTE),
  STRATOS_BLOB_TYPES: commaList.default([
    'image/*',
    'video/*',
    'audio/*',
    'application/pdf',
    'text/plain',
  ]),
  STRATOS_S3_BUCKET: text.optional(),
  STRATOS_S3_REGION: text.optional(),
  STRATOS_S3_ENDPOINT: webPage.optional(),
  STRATOS_S3_ACCESS_KEY: text.optional(),
  STRATOS_S3_SECRET_KEY: text.optional(),
  STRATOS_S3_FORCE_PATH_STYLE: flag.default(false),

  STRATOS_SIGNING_KEY_HEX: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional(),
  STRATOS_KEY_ENCRYPTION_KEY: text.optional(),
  STRATOS_KEY_ENCRYPTION_KEY_FILE: text.optional(),

  STRATOS_ALLOWED_DOMAINS: commaList,
  STRATOS_AUTO_ENROLL_DOMAINS: commaList.default([]),
  STRATOS_ENROLLMENT_MODE: z.enum(['open', 'allowlist']).default('allowlist'),
  STRATOS_ALLOWED_DIDS: didList.default([]),
  STRATOS_ALLOWED_PDS_ENDPOINTS: origins.default([]),
  STRATOS_ALLOW_LIST_URI: webPage.optional(),
  STRATOS_ALLOW_LIST_BOOTSTRAP_NAME: text.default('stratos:allow-list'),
  STRATOS_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').optional(),
  STRATOS_ALLOWED_APPVIEWS: didList.default([]),
  STRATOS_STUBS: z.enum(['on', 'off']).default('on'),
  STRATOS_SERVICE_FRAGMENT: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .default('atproto_pns'),
  STRATOS_LEXICON_DIR: text.optional(),
  STRATOS_HEARTBEAT_INTERVAL_MS: z.coerce.number().int().min(100).max(15_000).default(10_000),
  STRATOS_IMPORT_MAX_BYTES: count.default(256 * MEBIBYTE),

  STRATOS_OAUTH_REDIRECT_ORIGINS: origins.default([]),
  STRATOS_OAUTH_CLIENT_SECRET: text.optional(),
  STRATOS_OAUTH_CLIENT_NAME: text.default('Stratos'),
  STRATOS_OAUTH_LOGO_URI: webPage.optional(),
  STRATOS_OAUTH_TOS_URI: webPage.optional(),
  STRATOS_OAUTH_POLICY_URI: webPage.optional(),
  STRATOS_OPERATOR_CONTACT: text.optional(),
  STRATOS_REPO_URL: webPage.optional(),

  STRATOS_DPOP_REQUIRE_NONCE: flag.default(true),
  STRATOS_WRITE_RATE_MAX_WRITES: count.default(300),
  STRATOS_WRITE_RATE_WINDOW_MS: count.default(60_000),
  STRATOS_WRITE_RATE_COOLDOWN_MS: count.default(10_000),
  STRATOS_WRITE_RATE_COOLDOWN_JITTER_MS: z.coerce.number().int().min(0).default(1_000),
  STRATOS_IP_RATE_MAX_REQUESTS: count.default(300),
  STRATOS_IP_RATE_WINDOW_MS: count.default(60_000),
});

export type NodeVariables = z.output<typeof nodeVariables>;
