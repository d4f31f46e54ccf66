import { XRPCError } from '@atproto/xrpc-server';
import { AuthRequiredError } from '@stratos/protocol';

/** Every error that the node answers on purpose: name on the wire, HTTP status, message. */
const ERRORS = {
  RecordNotFound: [404, 'The record could not be found'],
  RepoNotFound: [404, 'The repo could not be found'],
  NotFound: [404, 'The person is not enrolled with this node'],
  AuthRequired: [401, 'Authentication is required'],
  NotEnrolled: [403, 'The caller is not enrolled with this node'],
  ForbiddenBoundary: [403, 'The caller is not a member of a boundary of the record'],
  InvalidRequest: [400, 'The request is not valid'],
  InvalidCollection: [400, 'Records of this collection are not kept here'],
  InvalidRecord: [400, 'The record is not valid'],
  InvalidBoundary: [400, 'Not a boundary of this node'],
  InvalidSwap: [409, 'The repo or record is not what the caller expected'],
  RateLimitExceeded: [429, 'Too many requests'],
  FutureCursor: [400, 'The cursor is beyond the newest event'],
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
      ...(code === 'AuthRequired' && { 'WWW-Authenticate': options.challenge ?? 'Bearer' }),
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
}

/** Turns errors of the protocol room into the node's own answers; others pass unchanged. */
export function toAnswer(error: unknown): unknown {
  if (error instanceof AuthRequiredError) {
    return new NodeError('AuthRequired', error.message, { cause: error });
  }
  return error;
}
