import { XRPCError } from '@atproto/xrpc-server';
import { AuthRequiredError, DpopNonceError, DpopProofError } from '@stratos/protocol';

/** Every error that the node answers on purpose: name on the wire, HTTP status, message. */
const ERRORS = {
  RecordNotFound: [404, 'The record could not be found'],
  RepoNotFound: [404, 'The repo could not be found'],
  BlobNotFound: [404, 'The blob could not be found'],
  NotFound: [404, 'The person is not enrolled with this node'],
  AuthRequired: [401, 'Authentication is required'],
  use_dpop_nonce: [401, 'Use the nonce of the DPoP-Nonce header'],
  NotEnrolled: [403, 'The caller is not enrolled with this node'],
  ForbiddenBoundary: [403, 'The caller is not a member of a boundary of the record'],
  InvalidRequest: [400, 'The request is not valid'],
  InvalidCollection: [400, 'Records of this collection are not kept here'],
  InvalidRecord: [400, 'The record is not valid'],
  InvalidBoundary: [400, 'Not a boundary of this node'],
  InvalidMimeType: [400, 'Blobs of this type are not taken'],
  PayloadTooLarge: [413, 'The blob is too large'],
  RangeNotSatisfiable: [416, 'The blob has no such part'],
  InvalidCar: [400, 'The CAR is not one of the repo of the caller'],
  RepoAlreadyExists: [400, 'The repo has records already'],
  InvalidSwap: [409, 'The repo or record is not what the caller expected'],
  RateLimitExceeded: [429, 'Too many requests'],
  ServiceUnavailable: [503, 'The service is busy, try again'],
  FutureCursor: [400, 'The cursor is beyond the newest event'],
  TooManyStreams: [429, 'Too many streams are open'],
  ConsumerTooSlow: [400, 'The consumer did not keep up'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type NodeErrorCode = keyof typeof ERRORS;

/** An answer that says no. Rules throw it; the XRPC layer sends it as it is. */
export class NodeError extends XRPCError {
  override name = 'NodeError';
  readonly code: NodeErrorCode;
  /** Response headers that belong to this answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: NodeErrorCode, message?: string, options: NodeErrorOptions = {}) {
    const [status, standard] = ERRORS[code];
    super(status as number, message ?? standard, code, options);
    this.code = code;
    this.headers = {
      ...options.headers,
      ...(status === 401 && { 'WWW-Authenticate': options.challenge ?? 'Bearer' }),
      ...(options.retryAfterSeconds !== undefined && {
        'Retry-After': String(Math.max(1, Math.ceil(options.retryAfterSeconds))),
      }),
    };
  }
}

export interface NodeErrorOptions extends ErrorOptions {
  retryAfterSeconds?: number;
  /** The `WWW-Authenticate` challenge of a 401. */
  challenge?: string;
  /** Further headers of the answer. */
  headers?: Readonly<Record<string, string>>;
}

/** Turns errors of the protocol room into the node's own answers; others pass unchanged. */
export function toAnswer(error: unknown): unknown {
  if (error instanceof DpopNonceError) {
    const challenge = 'DPoP algs="ES256", error="use_dpop_nonce"';
    return new NodeError('use_dpop_nonce', undefined, { cause: error, challenge });
  }
  if (error instanceof DpopProofError) {
    const challenge = 'DPoP algs="ES256", error="invalid_dpop_proof"';
    return new NodeError('AuthRequired', error.message, { cause: error, challenge });
  }
  if (error instanceof AuthRequiredError) {
    return new NodeError('AuthRequired', error.message, { cause: error });
  }
  // @NOTE what the parser says of JSON that is none has a part of it in it
  const isForeign = error instanceof XRPCError && !(error instanceof NodeError);
  if (isForeign && error.cause instanceof SyntaxError) {
    return new NodeError('InvalidRequest', 'The body is not JSON', { cause: error });
  }
  return error;
}
