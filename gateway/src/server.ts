import type { ReadPool } from '@stratos/prisma';
import { appViewDidDocument, type DidKey } from '@stratos/protocol';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Router,
} from 'express';
import { createXrpcServer } from './api/server.ts';
import type { NodeBlobs } from './blobs/node-blobs.ts';
import { blobRoutes } from './blobs/routes.ts';
import type { GatewayConfig } from './config.ts';
import { checkReadiness } from './feeds/readiness.ts';
import { graphqlRoutes } from './graphql/routes.ts';
import { createGraphqlServer } from './graphql/server.ts';
import type { TrustedDocuments } from './graphql/trusted-documents.ts';
import { graphqlXrpcRoute } from './graphql/xrpc-route.ts';
import type { HydrationCounter } from './hydration/posts.ts';
import { graphqlConnectionRoutes } from './live/graphql-connection-routes.ts';
import type { GraphqlConnections } from './live/graphql-connections.ts';
import { graphqlEvents } from './live/graphql-events.ts';
import type { Logger } from './logger.ts';
import { GRAPHQL_METHOD } from './methods.ts';
import { pageRoutes } from './pages/routes.ts';
import type { RequestContexts } from './request-context.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { createTrpcMiddleware } from './trpc/middleware.ts';
import type { RequestViewers } from './viewer/requests.ts';

export interface ServerDependencies {
  config: GatewayConfig;
  logger: Logger;
  reads: ReadPool;
  appViewKey: DidKey;
  contexts: RequestContexts;
  viewers: RequestViewers;
  connections: GraphqlConnections;
  counter: HydrationCounter;
  blobs: NodeBlobs;
  trustedDocuments: TrustedDocuments | undefined;
  telemetry: Telemetry;
  /** How people sign in on pages of ours. */
  signIn: Router;
}

/** The gateway's HTTP face. */
export function createApp(dependencies: ServerDependencies): Express {
  const { config, logger, reads, appViewKey, contexts, viewers, counter, telemetry, connections } =
    dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(telemetry.observe);
  app.use(everyAnswer);
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/ready', async (_req, res) => {
    try {
      const nodes = await checkReadiness(reads);
      res.json({ status: 'ready', nodes, recordsRefused: counter.refused });
    } catch (error) {
      logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'not ready');
      res.status(503).json({ status: 'not ready' });
    }
  });
  app.get(
    '/metrics',
    telemetry.report({ password: config.adminPassword, devMode: config.devMode }),
  );
  app.use(pageRoutes(config));
  app.use(openTo(config.corsOrigins));
  const document = appViewDidDocument({
    did: config.appViewDid,
    publicUrl: config.publicUrl,
    signingKey: appViewKey,
  });
  app.get('/.well-known/did.json', (_req, res) => {
    res.json(document);
  });
  app.use(neverStored);
  app.use(dependencies.signIn);
  const graphqlServer = createGraphqlServer(contexts, {
    logger,
    maxCost: config.limits.queryCost,
    introspection: config.limits.introspection,
    trustedDocuments: dependencies.trustedDocuments,
    plugins: [graphqlEvents({ connections, logger })],
  });
  const graphql = graphqlRoutes(graphqlServer);
  app.use('/graphql/stream', graphqlConnectionRoutes(connections, viewers), graphql);
  app.use('/graphql', graphql);
  app.use('/blob', blobRoutes({ contexts, blobs: dependencies.blobs, logger }));
  app.use('/trpc', createTrpcMiddleware(contexts, logger));
  app.use(`/xrpc/${GRAPHQL_METHOD}`, graphqlXrpcRoute(graphqlServer));
  app.use(createXrpcServer({ contexts, viewers }, logger).router);
  app.use((_req, res) => {
    res.status(404).json({ error: 'NotFound', message: 'There is nothing here' });
  });
  const unexpected: ErrorRequestHandler = (error, _req, res, next) => {
    if (res.headersSent) return next(error);
    logger.error({ error }, 'request failed');
    res.status(500).json({ error: 'InternalServerError', message: 'Unexpected error' });
  };
  app.use(unexpected);
  return app;
}

const everyAnswer: RequestHandler = (_req, res, next) => {
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Referrer-Policy', 'no-referrer');
  next();
};

/** Pages of other origins may call the API: they are let in by what they send, never by who their browser is. */
function openTo(origins: string[]): RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : origins,
    credentials: false,
    exposedHeaders: ['dpop-nonce', 'www-authenticate', 'retry-after'],
    maxAge: 600,
  });
}

/** What one viewer was answered is for nobody else. */
const neverStored: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  res.vary('Authorization, Cookie');
  next();
};
