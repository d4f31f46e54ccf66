import { createRouter, toTrpcError } from '@stratos/schema';
import { createExpressMiddleware } from '@trpc/server/adapters/express';
import type { RequestHandler } from 'express';
import type { Logger } from '../logger.ts';
import { TRPC_METHOD } from '../methods.ts';
import type { RequestContexts } from '../request-context.ts';

const MAX_BATCH = 10;
const MAX_BODY_BYTES = 100_000;

/** Serves the operations as tRPC. */
export function createTrpcMiddleware(contexts: RequestContexts, logger: Logger): RequestHandler {
  return createExpressMiddleware({
    router: createRouter(),
    allowBatching: true,
    maxBatchSize: MAX_BATCH,
    maxBodySize: MAX_BODY_BYTES,
    createContext: async ({ req, res }) => {
      try {
        return await contexts.of(req, res, TRPC_METHOD);
      } catch (error) {
        throw toTrpcError(error);
      }
    },
    responseMeta: () => ({ headers: { vary: 'Authorization' } }),
    onError: ({ error, path }) => {
      if (error.code === 'INTERNAL_SERVER_ERROR')
        logger.error({ error: error.cause, path }, 'tRPC');
    },
  });
}
