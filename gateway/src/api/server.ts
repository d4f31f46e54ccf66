import { createServer, type Server } from '@atproto/xrpc-server';
import type { Logger } from '../logger.ts';
import type { ApiDependencies } from './context.ts';
import { createErrorParser } from './errors.ts';
import { getProfile } from './zone/stratos/actor/getProfile.ts';
import { getBoundary } from './zone/stratos/boundary/getBoundary.ts';
import { listBoundaries } from './zone/stratos/boundary/listBoundaries.ts';
import { getAuthorFeed } from './zone/stratos/feed/getAuthorFeed.ts';
import { getPost } from './zone/stratos/feed/getPost.ts';
import { getPostProof } from './zone/stratos/feed/getPostProof.ts';
import { getPosts } from './zone/stratos/feed/getPosts.ts';
import { getPostThread } from './zone/stratos/feed/getPostThread.ts';
import { getReplies } from './zone/stratos/feed/getReplies.ts';
import { getTimeline } from './zone/stratos/feed/getTimeline.ts';
import { searchPosts } from './zone/stratos/feed/searchPosts.ts';
import { createSession } from './zone/stratos/gateway/createSession.ts';
import { getViewer } from './zone/stratos/gateway/getViewer.ts';
import { getNode } from './zone/stratos/node/getNode.ts';

const MAX_JSON_BYTES = 100_000;

const METHODS = [
  getTimeline,
  getAuthorFeed,
  searchPosts,
  getPost,
  getPostProof,
  getPosts,
  getPostThread,
  getReplies,
  getProfile,
  getBoundary,
  listBoundaries,
  getNode,
  getViewer,
  createSession,
];

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
  for (const add of METHODS) add({ server, ...dependencies });
  return server;
}
