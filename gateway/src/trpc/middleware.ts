import { createExpressMiddleware } from '@trpc/server/adapters/express';
import { type RequestHandler, Router } from 'express';
import type { Logger } from '../logger.ts';
import type { RequestContexts } from '../request-context.ts';
import { livePosts } from './live-posts.ts';
import { trpcOptions } from './options.ts';

/** Serves the operations as tRPC. */
export function createTrpcMiddleware(contexts: RequestContexts, logger: Logger): RequestHandler {
  const options = trpcOptions(contexts, logger);
  return Router({ caseSensitive: true, strict: true })
    .get('/livePosts', livePosts(options))
    .use(createExpressMiddleware(options));
}
