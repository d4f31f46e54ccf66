import { createRouter, toTrpcError } from '@stratos/schema';
import type { TRPCError } from '@trpc/server';
import type { TRPCRequestInfo } from '@trpc/server/http';
import type { Request, Response } from 'express';
import type { Logger } from '../logger.ts';
import { TRPC_METHOD } from '../methods.ts';
import { callCost } from '../protection/call-cost.ts';
import type { RequestContext, RequestContexts } from '../request-context.ts';

const MAX_BATCH = 10;
const MAX_BODY_BYTES = 100_000;
/** What answers a page of posts, also where nothing is said of its size. */
const PAGED = new Set(['timeline', 'authorFeed', 'search', 'replies']);

/** How calls are answered, whoever sends the answers. */
export type TrpcOptions = ReturnType<typeof trpcOptions>;

export function trpcOptions(contexts: RequestContexts, logger: Logger) {
  return {
    router: createRouter(),
    allowBatching: true,
    maxBatchSize: MAX_BATCH,
    maxBodySize: MAX_BODY_BYTES,
    createContext: async ({ req, res, info }: Call): Promise<RequestContext> => {
      try {
        const context = await contexts.of(req, res, TRPC_METHOD);
        await context.spend(await costOf(info));
        return context;
      } catch (error) {
        throw toTrpcError(error);
      }
    },
    responseMeta: () => ({ headers: { vary: 'Authorization, Cookie' } }),
    onError: ({ error, path }: Failure) => {
      if (error.code === 'INTERNAL_SERVER_ERROR')
        logger.error({ error: error.cause, path }, 'tRPC');
    },
  };
}

interface Call {
  req: Request;
  res: Response;
  info: TRPCRequestInfo;
}

interface Failure {
  error: TRPCError;
  path?: string | undefined;
}

/** What all calls of a batch cost. */
async function costOf({ calls }: TRPCRequestInfo): Promise<number> {
  const costs = calls.map(async ({ path, getRawInput }) => {
    const input = await getRawInput();
    return callCost(typeof input === 'object' && input !== null ? input : {}, PAGED.has(path));
  });
  return (await Promise.all(costs)).reduce((sum, cost) => sum + cost, 0);
}
