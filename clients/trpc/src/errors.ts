import type { StratosRouter } from '@stratos/schema/trpc';
import { TRPCClientError } from '@trpc/client';

/**
 * Why a call failed. `data.reason` is the gateway's stable word for it; without `data` the gateway was not
 * reached.
 */
export type StratosError = TRPCClientError<StratosRouter>;

export function isStratosError(error: unknown): error is StratosError {
  return error instanceof TRPCClientError;
}

/** Whether the same call may be answered a little later: nobody answered, or the gateway could not just now. */
export function isPassing({ data, cause }: StratosError): boolean {
  return data ? data.reason === 'UNAVAILABLE' : isUnreached(cause) || isOfProxy(cause);
}

/** Where nobody answers `fetch` rejects with a `TypeError`, and a session with this code. */
export function isUnreached(cause: unknown): boolean {
  return cause instanceof TypeError || Object(cause).code === 'Unreachable';
}

/** A page that is no JSON, or the event that a stream ended with. */
function isOfProxy(cause: unknown): boolean {
  return cause instanceof SyntaxError || Object(cause).code >= 500;
}
