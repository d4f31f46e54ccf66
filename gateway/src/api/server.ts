import { createServer, type Server } from '@atproto/xrpc-server';
import type { Logger } from '../logger.ts';
import type { ApiDependencies } from './context.ts';
import { createErrorParser } from './errors.ts';
import { getAuthorFeed } from './zone/stratos/feed/getAuthorFeed.ts';
import { getPost } from './zone/stratos/feed/getPost.ts';
import { getTimeline } from './zone/stratos/feed/getTimeline.ts';
import { createSession } from './zone/stratos/gateway/createSession.ts';

const MAX_JSON_BYTES = 100_000;

/** Serves the operations, and the exchange of tokens, as XRPC. */
export function createXrpcServer(
  dependencies: Omit<ApiDependencies, 'server'>,
  logger: Logger,
): Server {
  const server = createServer([], {
    payload: { jsonLimit: MAX_JSON_BYTES, textLimit: MAX_JSON_BYTES, blobLimit: 0 },
    errorParser: createErrorParser(logger),
  });
  server.router.disable('x-powered-by');
  server.router.disable('etag');
  for (const add of [getTimeline, getAuthorFeed, getPost, createSession]) {
    add({ server, ...dependencies });
  }
  return server;
}
