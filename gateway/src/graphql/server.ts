import { buildGraphqlSchema } from '@stratos/schema';
import type { Request, Response } from 'express';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from '../logger.ts';
import { GRAPHQL_METHOD } from '../methods.ts';
import type { RequestContext, RequestContexts } from '../request-context.ts';
import { costLimit } from './cost-limit.ts';
import { toGraphqlError, toRequestError, withCode } from './errors.ts';
import { queryLimits } from './limits.ts';
import { noIntrospection } from './no-introspection.ts';
import { signInRequired } from './sign-in-required.ts';
import { type TrustedDocuments, trustedDocumentsOnly } from './trusted-documents.ts';

/** The exchange in which an answer is given. */
export interface ServerContext {
  req: Request;
  res: Response;
}

export interface GraphqlServerOptions {
  logger: Logger;
  /** Cost of one query at most, see `protection/query-cost.ts`. */
  maxCost: number;
  /** Whether the schema may be asked for. */
  introspection: boolean;
  /** The only documents that are run, if that is so. */
  trustedDocuments?: TrustedDocuments | undefined;
  plugins?: Plugin<RequestContext & ServerContext, ServerContext>[];
}

/** Serves the operations as GraphQL. */
export function createGraphqlServer(contexts: RequestContexts, options: GraphqlServerOptions) {
  const { logger, maxCost, introspection, trustedDocuments, plugins = [] } = options;
  return createYoga<ServerContext, RequestContext>({
    schema: buildGraphqlSchema(),
    graphqlEndpoint: '*',
    landingPage: false,
    graphiql: false,
    batching: false,
    cors: false,
    logging: false,
    maskedErrors: { maskError: (error) => toGraphqlError(error, logger) },
    plugins: [
      ...(trustedDocuments ? [trustedDocumentsOnly(trustedDocuments, logger)] : []),
      ...queryLimits(),
      ...(introspection ? [] : [noIntrospection()]),
      signInRequired(logger),
      costLimit({ maxCost, logger }),
      errorCodes(),
      ...plugins,
    ],
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
