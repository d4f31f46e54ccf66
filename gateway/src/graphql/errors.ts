import { ApiError, ERRORS } from '@stratos/schema';
import { GraphQLError } from 'graphql';
import type { Logger } from '../logger.ts';

/**
 * The GraphQL form of a failure. What is not meant for the caller is logged and masked.
 *
 * @param status - the HTTP status, when nothing of the query was run
 */
export function toGraphqlError(error: unknown, logger: Logger, status?: number): GraphQLError {
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  const places = error instanceof GraphQLError ? placesOf(error) : {};
  if (cause instanceof ApiError) {
    const extensions = { code: cause.code, ...(status && { http: { status } }) };
    return new GraphQLError(cause.message, { ...places, extensions });
  }
  if (cause instanceof GraphQLError) return withCode(cause);
  logger.error({ error: cause }, 'GraphQL');
  return new GraphQLError('Unexpected error', { ...places, extensions: { code: 'INTERNAL' } });
}

/** An error about credentials, with its HTTP status. */
export function toRequestError(error: unknown, logger: Logger): GraphQLError {
  const status = error instanceof ApiError ? ERRORS[error.code].status : ERRORS.INTERNAL.status;
  return toGraphqlError(error, logger, status);
}

/** Every error has a code of ours: what has none is a fault of the query. */
export function withCode(error: GraphQLError): GraphQLError {
  const { code } = error.extensions;
  if (typeof code === 'string' && Object.hasOwn(ERRORS, code)) return error;
  const extensions = { ...error.extensions, code: 'BAD_USER_INPUT' };
  return new GraphQLError(error.message, { ...placesOf(error), extensions });
}

function placesOf({ nodes, source, positions, path }: GraphQLError) {
  return { nodes, source, positions, path };
}
