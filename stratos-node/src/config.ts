import { type Boundary, type Did, qualifyBoundary } from '@stratos/protocol';
import {
  ConfigError,
  commaList,
  commonVariables,
  did,
  httpUrl,
  parseEnvironment,
  port,
  refuseDevModeInPublic,
} from '@stratos/protocol/environment';
import { z } from 'zod';

const didList = commaList.pipe(z.array(did));
const origins = commaList.pipe(z.array(httpUrl.transform((value) => new URL(value).origin)));
const count = z.coerce.number().int().positive();

const variables = z.object({
  ...commonVariables,
  STRATOS_SERVICE_DID: did,
  STRATOS_PUBLIC_URL: httpUrl,
  STRATOS_PORT: port.default(3100),
  STRATOS_DATA_DIR: z.string().min(1).default('./data'),
  STORAGE_BACKEND: z
    .literal('sqlite', 'must be sqlite: this version keeps repos in SQLite alone')
    .default('sqlite'),
  STRATOS_BLOB_STORAGE: z
    .literal('local', 'must be local: this version keeps no blobs elsewhere')
    .default('local'),
  STRATOS_ALLOWED_DOMAINS: commaList,
  STRATOS_AUTO_ENROLL_DOMAINS: commaList.default([]),
  STRATOS_ENROLLMENT_MODE: z.enum(['open', 'allowlist']).default('allowlist'),
  STRATOS_ALLOWED_DIDS: didList.default([]),
  STRATOS_ALLOWED_PDS_ENDPOINTS: origins.default([]),
  STRATOS_ALLOW_LIST_URI: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .optional(),
  STRATOS_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').optional(),
  STRATOS_ALLOWED_APPVIEWS: didList.default([]),
  STRATOS_STUBS: z.enum(['on', 'off']).default('on'),
  STRATOS_SERVICE_FRAGMENT: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .default('atproto_pns'),
  STRATOS_LEXICON_DIR: z.string().min(1).optional(),
  STRATOS_HEARTBEAT_INTERVAL_MS: z.coerce.number().int().min(100).max(15_000).default(10_000),
  STRATOS_OAUTH_REDIRECT_ORIGINS: origins.default([]),
  STRATOS_WRITE_RATE_MAX_WRITES: count.default(300),
  STRATOS_WRITE_RATE_WINDOW_MS: count.default(60_000),
  STRATOS_WRITE_RATE_COOLDOWN_MS: count.default(10_000),
});

/** How fast one person may write. */
export interface WriteRate {
  maxWrites: number;
  windowMs: number;
  cooldownMs: number;
}

/** Who may enroll. */
export interface EnrollmentPolicy {
  mode: 'open' | 'allowlist';
  allowedDids: readonly Did[];
  /** Origins of PDSes all of whose accounts may enroll. */
  allowedPdsOrigins: readonly string[];
  /** Where a list of further people is kept. */
  allowListUri: string | undefined;
  /** What a newly enrolled person becomes a member of. */
  boundaries: readonly Boundary[];
}

/** Everything that the operator decides about a node. */
export interface NodeConfig {
  logLevel: string;
  serviceDid: Did;
  /** Public base URL without a trailing slash. */
  publicUrl: string;
  port: number;
  dataDir: string;
  /** The boundaries that this node keeps. */
  boundaries: readonly Boundary[];
  enrollment: EnrollmentPolicy;
  adminPassword: string | undefined;
  allowedAppViews: readonly Did[];
  stubs: boolean;
  serviceFragment: string;
  /** Folder of further lexicons by which records are checked. */
  lexiconDir: string | undefined;
  heartbeatIntervalMs: number;
  /** Origins other than our own to which a finished enrollment may return. */
  oauthRedirectOrigins: readonly string[];
  writeRate: WriteRate;
  plcUrl: string;
  handleResolverUrl: string | undefined;
  devMode: boolean;
}

/** Reads and checks the environment. Throws {@link ConfigError}. */
export function readConfig(env: Record<string, string | undefined>): NodeConfig {
  const values = parseEnvironment(variables, env);
  const serviceDid = values.STRATOS_SERVICE_DID;
  const boundaries = qualified(
    serviceDid,
    'STRATOS_ALLOWED_DOMAINS',
    values.STRATOS_ALLOWED_DOMAINS,
  );
  if (boundaries.length === 0)
    throw new ConfigError('STRATOS_ALLOWED_DOMAINS must name a boundary');
  const auto = qualified(
    serviceDid,
    'STRATOS_AUTO_ENROLL_DOMAINS',
    values.STRATOS_AUTO_ENROLL_DOMAINS,
  );
  const unknown = auto.find((boundary) => !boundaries.includes(boundary));
  if (unknown) {
    throw new ConfigError(
      `STRATOS_AUTO_ENROLL_DOMAINS names ${unknown}, which STRATOS_ALLOWED_DOMAINS lacks`,
    );
  }
  refuseDevModeInPublic(values.STRATOS_DEV_MODE, values.STRATOS_PUBLIC_URL, 'STRATOS_PUBLIC_URL');
  return {
    logLevel: values.LOG_LEVEL,
    serviceDid,
    publicUrl: values.STRATOS_PUBLIC_URL,
    port: values.STRATOS_PORT,
    dataDir: values.STRATOS_DATA_DIR,
    boundaries,
    enrollment: {
      mode: values.STRATOS_ENROLLMENT_MODE,
      allowedDids: values.STRATOS_ALLOWED_DIDS,
      allowedPdsOrigins: values.STRATOS_ALLOWED_PDS_ENDPOINTS,
      allowListUri: values.STRATOS_ALLOW_LIST_URI,
      boundaries: auto.length > 0 ? auto : boundaries,
    },
    adminPassword: values.STRATOS_ADMIN_PASSWORD,
    allowedAppViews: values.STRATOS_ALLOWED_APPVIEWS,
    stubs: values.STRATOS_STUBS === 'on',
    serviceFragment: values.STRATOS_SERVICE_FRAGMENT,
    lexiconDir: values.STRATOS_LEXICON_DIR,
    heartbeatIntervalMs: values.STRATOS_HEARTBEAT_INTERVAL_MS,
    oauthRedirectOrigins: values.STRATOS_OAUTH_REDIRECT_ORIGINS,
    writeRate: {
      maxWrites: values.STRATOS_WRITE_RATE_MAX_WRITES,
      windowMs: values.STRATOS_WRITE_RATE_WINDOW_MS,
      cooldownMs: values.STRATOS_WRITE_RATE_COOLDOWN_MS,
    },
    plcUrl: values.STRATOS_PLC_URL,
    handleResolverUrl: values.STRATOS_HANDLE_RESOLVER_URL,
    devMode: values.STRATOS_DEV_MODE,
  };
}

function qualified(serviceDid: Did, variable: string, names: readonly string[]): Boundary[] {
  return [...new Set(names)].map((name) => {
    const bare = name.startsWith(`${serviceDid}/`) ? name.slice(serviceDid.length + 1) : name;
    try {
      return qualifyBoundary(serviceDid, bare);
    } catch {
      throw new ConfigError(`${variable} names "${name}", which is no boundary (a-z 0-9 - _ .)`);
    }
  });
}
