/**
 * Every way in which the API can fail, and what each surface calls it: the key is GraphQL's
 * `extensions.code` and tRPC's `data.reason`.
 */
export const ERRORS = {
  UNAUTHENTICATED: { status: 401, xrpc: 'AuthRequired', trpc: 'UNAUTHORIZED' },
  DPOP_NONCE_REQUIRED: { status: 401, xrpc: 'use_dpop_nonce', trpc: 'UNAUTHORIZED' },
  BAD_USER_INPUT: { status: 400, xrpc: 'InvalidRequest', trpc: 'BAD_REQUEST' },
  INVALID_CURSOR: { status: 400, xrpc: 'InvalidCursor', trpc: 'BAD_REQUEST' },
  NOT_FOUND: { status: 404, xrpc: 'RecordNotFound', trpc: 'NOT_FOUND' },
  QUERY_TOO_COMPLEX: { status: 400, xrpc: 'InvalidRequest', trpc: 'BAD_REQUEST' },
  UNTRUSTED_DOCUMENT: { status: 400, xrpc: 'UntrustedDocument', trpc: 'BAD_REQUEST' },
  RATE_LIMITED: { status: 429, xrpc: 'RateLimitExceeded', trpc: 'TOO_MANY_REQUESTS' },
  TOO_MANY_STREAMS: { status: 429, xrpc: 'TooManyStreams', trpc: 'TOO_MANY_REQUESTS' },
  UNAVAILABLE: { status: 503, xrpc: 'Unavailable', trpc: 'SERVICE_UNAVAILABLE' },
  INTERNAL: { status: 500, xrpc: 'InternalServerError', trpc: 'INTERNAL_SERVER_ERROR' },
} as const;

/** Stable: clients may switch on it. */
export type ErrorCode = keyof typeof ERRORS;

/** A failure that the caller is told about. Its message is for the caller, too. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Nobody is signed in. */
export function unauthenticated(options?: ErrorOptions): ApiError {
  return new ApiError('UNAUTHENTICATED', 'Authentication required', options);
}
