import { ResponseType, XRPCError } from '@atproto/xrpc-server';
import { ApiError, ERRORS } from '@stratos/schema';
import type { Logger } from '../logger.ts';

/** Gives failures their XRPC name and status; what is not meant for the caller is masked. */
export function createErrorParser(logger: Logger) {
  return (error: unknown): XRPCError => {
    if (error instanceof ApiError) {
      const { status, xrpc } = ERRORS[error.code];
      return new XRPCError(status, error.message, xrpc);
    }
    const parsed = XRPCError.fromError(error);
    const isKnown = parsed.type !== ResponseType.MethodNotImplemented;
    if (parsed.statusCode < 500 || !isKnown) return parsed;
    logger.error({ error }, 'XRPC');
    return new XRPCError(500, 'Unexpected error', ERRORS.INTERNAL.xrpc);
  };
}
