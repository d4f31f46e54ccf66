import type { PrismaClient } from '@stratos/prisma';
import { appViewDidDocument, type DidKey } from '@stratos/protocol';
import cors from 'cors';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { createXrpcServer } from './api/server.ts';
import type { GatewayConfig } from './config.ts';
import { checkReadiness } from './feeds/readiness.ts';
import { graphqlRoutes } from './graphql/routes.ts';
import { createGraphqlServer } from './graphql/server.ts';
import type { HydrationCounter } from './hydration/posts.ts';
import type { Logger } from './logger.ts';
import { pageRoutes } from './pages/routes.ts';
import type { RequestContexts } from './request-context.ts';
import { createTrpcMiddleware } from './trpc/middleware.ts';
import type { RequestViewers } from './viewer/requests.ts';

export interface ServerDependencies {
  config: GatewayConfig;
  logger: Logger;
  prisma: PrismaClient;
  appViewKey: DidKey;
  contexts: RequestContexts;
  viewers: RequestViewers;
  counter: HydrationCounter;
}

/** The gateway's HTTP face. */
export function createApp(dependencies: ServerDependencies): Express {
  const { config, logger, prisma, appViewKey, contexts, viewers, counter } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(everyAnswer);
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/ready', async (_req, res) => {
    try {
      const nodes = await checkReadiness(prisma);
      res.json({ status: 'ready', nodes, recordsRefused: counter.refused });
    } catch (error) {
      logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'not ready');
      res.status(503).json({ status: 'not ready' });
    }
  });
  app.use(pageRoutes(config));
  app.use(openToAllOrigins);
  const document = appViewDidDocument({
    did: config.appViewDid,
    publicUrl: config.publicUrl,
    signingKey: appViewKey,
  });
  app.get('/.well-known/did.json', (_req, res) => {
    res.json(document);
  });
  app.use(neverStored);
  app.use('/graphql', graphqlRoutes(createGraphqlServer(contexts, logger)));
  app.use('/trpc', createTrpcMiddleware(contexts, logger));
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

/** Any page may call the API: it is let in by what it sends, never by who its browser is. */
const openToAllOrigins = cors({
  origin: '*',
  credentials: false,
  exposedHeaders: ['dpop-nonce', 'www-authenticate'],
  maxAge: 600,
});

/** What one viewer was answered is for nobody else. */
const neverStored: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  res.vary('Authorization');
  next();
};
