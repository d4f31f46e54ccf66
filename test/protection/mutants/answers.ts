import { inTests, type Mutant } from '../mutant.ts';

const METRICS_GATE = 'protocol/src/telemetry/metrics-gate.ts';
const GRAPHQL = 'gateway/src/graphql/server.ts';
const GRAPHQL_ERRORS = 'gateway/src/graphql/errors.ts';
const SIGN_IN_REQUIRED = 'gateway/src/graphql/sign-in-required.ts';
const DOCUMENTS = 'gateway/src/graphql/trusted-documents.ts';
const TRPC_ERRORS = 'schema/src/trpc/errors.ts';
const SERVER = 'gateway/src/server.ts';
const BLOB_ROUTES = 'gateway/src/blobs/routes.ts';
const NODE_BLOBS = 'gateway/src/blobs/node-blobs.ts';
const CONFIG = 'gateway/src/config.ts';
const READS = 'gateway/src/reads.ts';

const ofDoors = inTests(
  'gateway/src/protection/doors.test.ts',
  'gateway/src/protection/protection.test.ts',
  'gateway/src/graphql',
);
const ofSurfaces = inTests('gateway/src/surfaces.test.ts', 'gateway/src/service.test.ts');
const ofBlobs = inTests('gateway/src/blobs');
const ofConfig = inTests('gateway/src/config.test.ts');
const ofTelemetry = inTests('gateway/src/telemetry');
const ofDatabase = inTests('gateway/src/database-away.test.ts');

/** Of what may be asked at all, and what is answered. */
export const ANSWERS: readonly Mutant[] = [
  // What may be asked at all
  ofDoors('the schema can be kept to oneself', [
    GRAPHQL,
    '...(introspection ? [] : [noIntrospection()]),',
    '',
  ]),
  ofSurfaces('nobody asks without signing in', [
    SIGN_IN_REQUIRED,
    'setResultAndStopExecution({ errors: [toRequestError(unauthenticated(), logger)] });\n    },\n    onSubscribe',
    '},\n    onSubscribe',
  ]),
  ofSurfaces('who asks for the schema asks for nothing else', [
    SIGN_IN_REQUIRED,
    'selections.every(',
    'selections.some(',
  ]),
  ofDoors('documents that are not known are not run', [
    DOCUMENTS,
    'if (query !== undefined && texts.has(query))',
    'if (query !== undefined)',
  ]),
  ofDoors('what a document is called counts', [
    DOCUMENTS,
    'hash === undefined ? params.query : documents.get(hash)',
    "params.query ?? documents.get(hash ?? '')",
  ]),
  // What is answered
  ofDoors('GraphQL does not say what went wrong inside', [
    GRAPHQL_ERRORS,
    "return new GraphQLError('Unexpected error', {",
    'return new GraphQLError(String(cause), {',
  ]),
  ofDoors('tRPC does not say what went wrong inside', [
    TRPC_ERRORS,
    "const message = reason === 'INTERNAL' ? 'Unexpected error' : shape.message;",
    'const message = String(error.cause ?? shape.message);',
  ]),
  ofDoors('answers are not stored', [
    SERVER,
    "res.setHeader('Cache-Control', 'no-store');",
    "res.setHeader('Cache-Control', 'private');",
  ]),
  ofDoors('answers are of who asks', [SERVER, "res.vary('Authorization, Cookie');", '']),
  ofSurfaces('pages of other origins send no cookies', [
    SERVER,
    'credentials: false',
    'credentials: true',
  ]),
  ofDoors('pages of other origins can be shut out', [
    SERVER,
    "origin: origins.includes('*') ? '*' : origins,",
    "origin: '*',",
  ]),
  ofDoors('answers are what they say', [
    SERVER,
    "res.setHeader('X-Content-Type-Options', 'nosniff');",
    '',
  ]),
  ofBlobs('files are what the post names', [
    BLOB_ROUTES,
    'find(({ cid }) => cid === path.cid)',
    'at(0)',
  ]),
  ofBlobs('files are what their CID says', [
    NODE_BLOBS,
    'bytes && isOf(blob.cid, bytes) ?',
    'bytes ?',
  ]),
  ofBlobs('files are not run', [
    BLOB_ROUTES,
    `res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");`,
    '',
  ]),
  ofBlobs('files that are no images are saved', [
    BLOB_ROUTES,
    "if (!isImage) res.setHeader('Content-Disposition', 'attachment');",
    '',
  ]),
  ofBlobs('files are called what they may be', [
    BLOB_ROUTES,
    "isImage ? view.mimeType : 'application/octet-stream'",
    'view.mimeType',
  ]),
  ofTelemetry('metrics are for the operator', [
    METRICS_GATE,
    'if (hasPassword(request.headers.authorization, password)) return undefined;',
    'return undefined;',
  ]),
  ofTelemetry('metrics are not for who is passed on', [
    METRICS_GATE,
    'if (devMode && isFromThisMachine(request)) return undefined;',
    'if (devMode) return undefined;',
  ]),
  ofTelemetry('paths are not counted by', [
    'gateway/src/telemetry/telemetry.ts',
    "DOORS.has(first) ? first : 'other'",
    'first',
  ]),
  ofConfig('what is for development is not for the world', [
    CONFIG,
    "refuseDevModeInPublic(data.STRATOS_DEV_MODE, data.GATEWAY_PUBLIC_URL, 'GATEWAY_PUBLIC_URL');",
    '',
  ]),
  ofConfig('passwords of a demo are not for the world', [
    CONFIG,
    "if (demo && data.GATEWAY_PUBLIC_URL.startsWith('https:'))",
    'if (false as boolean)',
  ]),
  ofDatabase('a database that is away is called so', [
    READS,
    "throw new ApiError('UNAVAILABLE', 'The gateway cannot reach its database', { cause });",
    'throw cause;',
  ]),
];
