import { type ApiContext, buildGraphqlSchema } from '@stratos/schema';
import type { Request, Response } from 'express';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from '../logger.ts';
import { GRAPHQL_METHOD } from '../methods.ts';
import type { RequestContexts } from '../request-context.ts';
import { toGraphqlError, toRequestError, withCode } from './errors.ts';
import { queryLimits } from './limits.ts';
import { signInRequired } from './sign-in-required.ts';

interface ServerContext {
  req: Request;
  res: Response;
}

/** Serves the operations as GraphQL. */
export function createGraphqlServer(contexts: RequestContexts, logger: Logger) {
  return createYoga<ServerContext, ApiContext>({
    schema: buildGraphqlSchema(),
    graphqlEndpoint: '*',
    landingPage: false,
    graphiql: false,
    batching: false,
    cors: false,
    logging: false,
    maskedErrors: { maskError: (error) => toGraphqlError(error, logger) },
    plugins: [...queryLimits(), signInRequired(logger), errorCodes()],
    context: async ({ req, res }) => {
      try {
        return await contexts.of(req, res, GRAPHQL_METHOD);
      } catch (error) {
        throw toRequestError(error, logger);
      }
    },
  });
}

/** Gives a code to the errors of parsing and validation. */
function errorCodes(): Plugin {
  return {
    onResultProcess({ result }) {
      for (const one of Array.isArray(result) ? result : [result]) {
        if ('errors' in one && one.errors) {
          one.errors = one.errors.map((error) =>
            error instanceof GraphQLError ? withCode(error) : error,
          );
        }
      }
    },
  };
}
