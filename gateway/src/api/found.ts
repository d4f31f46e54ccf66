import { XRPCError } from '@atproto/xrpc-server';
import { ERRORS } from '@stratos/schema';

const MESSAGES = {
  RecordNotFound: 'There is no such record',
  ActorNotFound: 'There is no such actor',
  BoundaryNotFound: 'There is no such boundary',
  NodeNotFound: 'There is no such node',
};

/** What was found; throws the error of a lexicon where other surfaces answer nothing. */
export function found<T>(value: T | null, error: keyof typeof MESSAGES): T {
  if (value !== null) return value;
  throw new XRPCError(ERRORS.NOT_FOUND.status, MESSAGES[error], error);
}
