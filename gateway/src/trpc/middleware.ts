import { createRouter, toTrpcError } from '@stratos/schema';
import { createExpressMiddleware } from '@trpc/server/adapters/express';
import type { TRPCRequestInfo } from '@trpc/server/http';
import type { RequestHandler } from 'express';
import type { Logger } from '../logger.ts';
import { TRPC_METHOD } from '../methods.ts';
import { callCost } from '../protection/call-cost.ts';
import type { RequestContexts } from '../request-context.ts';

const MAX_BATCH = 10;
const MAX_BODY_BYTES = 100_000;
/** What answers a page of posts, also where nothing is said of its size. */
const PAGED = new Set(['timeline', 'authorFeed', 'search', 'replies']);

/** Serves the operations as tRPC. */
export function createTrpcMiddleware(contexts: RequestContexts, logger: Logger): RequestHandler {
  return createExpressMiddleware({
    router: createRouter(),
    allowBatching: true,
    maxBatchSize: MAX_BATCH,
    maxBodySize: MAX_BODY_BYTES,
    createContext: async ({ req, res, info }) => {
      try {
        const context = await contexts.of(req, res, TRPC_METHOD);
        await context.spend(await costOf(info));
        return context;
      } catch (error) {
        throw toTrpcError(error);
      }
    },
    responseMeta: () => ({ headers: { vary: 'Authorization, Cookie' } }),
    onError: ({ error, path }) => {
      if (error.code === 'INTERNAL_SERVER_ERROR')
        logger.error({ error: error.cause, path }, 'tRPC');
    },
  });
}

/** What all calls of a batch cost. */
async function costOf({ calls }: TRPCRequestInfo): Promise<number> {
  const costs = calls.map(async ({ path, getRawInput }) => {
    const input = await getRawInput();
    return callCost(typeof input === 'object' && input !== null ? input : {}, PAGED.has(path));
  });
  return (await Promise.all(costs)).reduce((sum, cost) => sum + cost, 0);
}
