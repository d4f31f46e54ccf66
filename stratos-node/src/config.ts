import { type Boundary, type Did, qualifyBoundary } from '@stratos/protocol';
import {
  ConfigError,
  parseEnvironment,
  refuseDevModeInPublic,
} from '@stratos/protocol/environment';
import { type NodeVariables, nodeVariables } from './config-variables.ts';

/** How fast one person may write. */
export interface WriteRate {
  maxWrites: number;
  windowMs: number;
  cooldownMs: number;
  /** Up to this much is added to a cooldown, so that not all come back at once. */
  cooldownJitterMs: number;
}

/** How often one network address may ask without saying who it is. */
export interface IpRate {
  maxRequests: number;
  windowMs: number;
}

/** A Postgres that keeps the service database and the repos. */
export interface PostgresStorage {
  backend: 'postgres';
  /** With credentials; never to be logged. */
  url: string;
  actorPoolSize: number;
  adminPoolSize: number;
  /** Blocks kept in memory for all repos together. */
  blockCacheSize: number;
}

export type StorageConfig = { backend: 'sqlite' } | PostgresStorage;

/** An S3-compatible store. Without keys the SDK looks for credentials where it always does. */
export interface S3Storage {
  storage: 's3';
  bucket: string;
  region: string | undefined;
  endpoint: string | undefined;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  forcePathStyle: boolean;
}

/** Where blobs are kept, and which ones. */
export interface BlobConfig {
  place: { storage: 'local' } | S3Storage;
  maxBytes: number;
  /** Media types that are taken, such as `image/*`. */
  types: readonly string[];
}

/** Secrets and where they come from. */
export interface KeyConfig {
  /** The node's own key, instead of the file in the data folder. */
  signingKeyHex: string | undefined;
  /** What keys are encrypted under where they lie: the secret, or the file that has it. */
  encryptionKey: string | undefined;
  encryptionKeyFile: string | undefined;
}

/** How the node introduces itself to people's PDSes. */
export interface OAuthConfig {
  /** PEM of a P-256 key; with one the client is confidential (`private_key_jwt`). */
  clientSecret: string | undefined;
  clientName: string;
  logoUri: string | undefined;
  tosUri: string | undefined;
  policyUri: string | undefined;
  /** Origins other than our own to which a finished enrollment may return. */
  redirectOrigins: readonly string[];
}

/** Who may enroll. */
export interface EnrollmentPolicy {
  mode: 'open' | 'allowlist';
  allowedDids: readonly Did[];
  /** Origins of PDSes all of whose accounts may enroll. */
  allowedPdsOrigins: readonly string[];
  /** Where a list of further people is kept. */
  allowListUri: string | undefined;
  /** Name of the set in Valkey that has them as well. */
  allowListName: string;
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
  /** Addresses or networks of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  dataDir: string;
  storage: StorageConfig;
  /** Shared memory of several processes: limits, replay and the allow list; may hold a password. */
  valkeyUrl: string | undefined;
  /** Days for which streams can be taken up again, and for which people who left can export. */
  retentionDays: number;
  blobs: BlobConfig;
  keys: KeyConfig;
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
  /** Bytes of a CAR that may be imported. */
  importMaxBytes: number;
  oauth: OAuthConfig;
  /** How the operator can be reached, and where the source of the node is. */
  operatorContact: string | undefined;
  repoUrl: string | undefined;
  /** Whether DPoP proofs need a nonce of ours. */
  dpopRequireNonce: boolean;
  writeRate: WriteRate;
  ipRate: IpRate;
  plcUrl: string;
  handleResolverUrl: string | undefined;
  devMode: boolean;
}

/** Reads and checks the environment. Throws {@link ConfigError}. */
export function readConfig(env: Record<string, string | undefined>): NodeConfig {
  const values = parseEnvironment(nodeVariables, env);
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
    trustedProxies: values.STRATOS_TRUSTED_PROXIES,
    dataDir: values.STRATOS_DATA_DIR,
    storage: storageOf(values),
    valkeyUrl: values.STRATOS_VALKEY_URL,
    retentionDays: values.STRATOS_RETENTION_DAYS,
    blobs: {
      place: blobPlaceOf(values),
      maxBytes: values.STRATOS_BLOB_MAX_BYTES,
      types: values.STRATOS_BLOB_TYPES,
    },
    keys: {
      signingKeyHex: values.STRATOS_SIGNING_KEY_HEX,
      encryptionKey: values.STRATOS_KEY_ENCRYPTION_KEY,
      encryptionKeyFile: values.STRATOS_KEY_ENCRYPTION_KEY_FILE,
    },
    boundaries,
    enrollment: {
      mode: values.STRATOS_ENROLLMENT_MODE,
      allowedDids: values.STRATOS_ALLOWED_DIDS,
      allowedPdsOrigins: values.STRATOS_ALLOWED_PDS_ENDPOINTS,
      allowListUri: values.STRATOS_ALLOW_LIST_URI,
      allowListName: values.STRATOS_ALLOW_LIST_BOOTSTRAP_NAME,
      boundaries: auto.length > 0 ? auto : boundaries,
    },
    adminPassword: values.STRATOS_ADMIN_PASSWORD,
    allowedAppViews: values.STRATOS_ALLOWED_APPVIEWS,
    stubs: values.STRATOS_STUBS === 'on',
    serviceFragment: values.STRATOS_SERVICE_FRAGMENT,
    lexiconDir: values.STRATOS_LEXICON_DIR,
    heartbeatIntervalMs: values.STRATOS_HEARTBEAT_INTERVAL_MS,
    importMaxBytes: values.STRATOS_IMPORT_MAX_BYTES,
    oauth: {
      clientSecret: values.STRATOS_OAUTH_CLIENT_SECRET,
      clientName: values.STRATOS_OAUTH_CLIENT_NAME,
      logoUri: values.STRATOS_OAUTH_LOGO_URI,
      tosUri: values.STRATOS_OAUTH_TOS_URI,
      policyUri: values.STRATOS_OAUTH_POLICY_URI,
      redirectOrigins: values.STRATOS_OAUTH_REDIRECT_ORIGINS,
    },
    operatorContact: values.STRATOS_OPERATOR_CONTACT,
    repoUrl: values.STRATOS_REPO_URL,
    dpopRequireNonce: values.STRATOS_DPOP_REQUIRE_NONCE,
    writeRate: {
      maxWrites: values.STRATOS_WRITE_RATE_MAX_WRITES,
      windowMs: values.STRATOS_WRITE_RATE_WINDOW_MS,
      cooldownMs: values.STRATOS_WRITE_RATE_COOLDOWN_MS,
      cooldownJitterMs: values.STRATOS_WRITE_RATE_COOLDOWN_JITTER_MS,
    },
    ipRate: {
      maxRequests: values.STRATOS_IP_RATE_MAX_REQUESTS,
      windowMs: values.STRATOS_IP_RATE_WINDOW_MS,
    },
    plcUrl: values.STRATOS_PLC_URL,
    handleResolverUrl: values.STRATOS_HANDLE_RESOLVER_URL,
    devMode: values.STRATOS_DEV_MODE,
  };
}

function storageOf(values: NodeVariables): StorageConfig {
  if (values.STORAGE_BACKEND === 'sqlite') return { backend: 'sqlite' };
  return {
    backend: 'postgres',
    url: postgresUrlOf(values),
    actorPoolSize: values.STRATOS_PG_ACTOR_POOL_SIZE,
    adminPoolSize: values.STRATOS_PG_ADMIN_POOL_SIZE,
    blockCacheSize: values.STRATOS_BLOCK_CACHE_SIZE,
  };
}

/** The URL that is given, or one made of its parts. */
function postgresUrlOf(values: NodeVariables): string {
  if (values.STRATOS_POSTGRES_URL !== undefined) return values.STRATOS_POSTGRES_URL;
  if (values.STRATOS_PG_HOST === undefined) {
    throw new ConfigError('STORAGE_BACKEND=postgres needs STRATOS_POSTGRES_URL or STRATOS_PG_HOST');
  }
  const url = new URL('postgres://unset');
  url.hostname = values.STRATOS_PG_HOST;
  url.port = String(values.STRATOS_PG_PORT);
  url.username = encodeURIComponent(values.STRATOS_PG_USERNAME);
  url.password = encodeURIComponent(values.STRATOS_PG_PASSWORD ?? '');
  url.pathname = encodeURIComponent(values.STRATOS_PG_DBNAME);
  url.searchParams.set('sslmode', values.STRATOS_PG_SSLMODE);
  return url.href;
}

function blobPlaceOf(values: NodeVariables): BlobConfig['place'] {
  if (values.STRATOS_BLOB_STORAGE === 'local') return { storage: 'local' };
  if (values.STRATOS_S3_BUCKET === undefined) {
    throw new ConfigError('STRATOS_BLOB_STORAGE=s3 needs STRATOS_S3_BUCKET');
  }
  const { STRATOS_S3_ACCESS_KEY: accessKeyId, STRATOS_S3_SECRET_KEY: secretAccessKey } = values;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new ConfigError('STRATOS_S3_ACCESS_KEY and STRATOS_S3_SECRET_KEY go together');
  }
  return {
    storage: 's3',
    bucket: values.STRATOS_S3_BUCKET,
    region: values.STRATOS_S3_REGION,
    endpoint: values.STRATOS_S3_ENDPOINT,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    forcePathStyle: values.STRATOS_S3_FORCE_PATH_STYLE,
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
