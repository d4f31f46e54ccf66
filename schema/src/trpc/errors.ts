import { TRPCError } from '@trpc/server';
import { ApiError, ERRORS, type ErrorCode } from '../errors.ts';

/** The tRPC form of a failure. What the caller need not know is masked. */
export function toTrpcError(error: unknown): TRPCError {
  const cause = error instanceof TRPCError && error.cause instanceof ApiError ? error.cause : error;
  if (cause instanceof ApiError) {
    return new TRPCError({ code: ERRORS[cause.code].trpc, message: cause.message, cause });
  }
  if (error instanceof TRPCError && error.code !== 'INTERNAL_SERVER_ERROR') return error;
  return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Unexpected error', cause });
}

/** The stable code of a failure, which is `data.reason` on the wire. */
export function reasonOf(error: TRPCError): ErrorCode {
  if (error.cause instanceof ApiError) return error.cause.code;
  return error.code === 'INTERNAL_SERVER_ERROR' ? 'INTERNAL' : 'BAD_USER_INPUT';
}

/** Adds the stable code, and keeps what went wrong inside to ourselves. */
export function errorData<Data extends object>(
  shape: { message: string; data: Data },
  error: TRPCError,
) {
  const reason = reasonOf(error);
  const message = reason === 'INTERNAL' ? 'Unexpected error' : shape.message;
  return { message, data: { ...shape.data, reason } };
}
