import type { NodeOAuthClient } from '@atproto/oauth-client-node';
import { nodeDidDocument } from '@stratos/protocol';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { createXrpcServer } from '../api/index.ts';
import type { NodeContext } from '../context.ts';
import { clientMetadata } from '../enrollment/oauth-client.ts';
import { oauthRoutes } from '../enrollment/oauth-routes.ts';
import { ownRoutes } from '../enrollment/own-routes.ts';

/** The node's HTTP face. */
export function createApp(ctx: NodeContext, oauth: NodeOAuthClient): Express {
  const { config } = ctx;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_req, res, next) => {
    res.set('X-Content-Type-Options', 'nosniff');
    next();
  });
  app.get('/', (_req, res) => {
    res
      .type('text')
      .send(`A Stratos node: private records of AT Protocol, at ${config.serviceDid}\n`);
  });
  app.get('/health', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/ready', (_req, res) => void ready(ctx, res));
  app.get('/.well-known/did.json', cors, (_req, res) => {
    const { serviceDid: did, publicUrl, serviceFragment: fragment } = config;
    res.json(nodeDidDocument({ did, publicUrl, signingKey: ctx.nodeKey.did(), fragment }));
  });
  app.get('/client-metadata.json', cors, (_req, res) => void res.json(clientMetadata(config)));
  app.use(oauthRoutes(ctx, oauth));
  app.use(ownRoutes(ctx));
  app.use('/xrpc', cors, neverCached);
  app.use(createXrpcServer(ctx).router);
  app.use((_req, res) => {
    res.status(404).json({ error: 'NotFound', message: 'There is nothing here' });
  });
  return app;
}

async function ready(ctx: NodeContext, res: Response): Promise<void> {
  try {
    if (ctx.stopping.aborted) throw new Error('stopping');
    await ctx.service.events.head();
    res.json({ status: 'ready' });
  } catch {
    res.status(503).json({ status: 'not ready' });
  }
}

/** Any origin may call, with tokens that it holds itself; never with cookies. */
function cors(req: Request, res: Response, next: NextFunction): void {
  res.set('Access-Control-Allow-Origin', '*');
  res.set('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After');
  if (req.method !== 'OPTIONS') {
    next();
    return;
  }
  res.set('Access-Control-Allow-Methods', 'GET, POST');
  res.set(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Atproto-Proxy, Atproto-Accept-Labelers',
  );
  res.set('Access-Control-Max-Age', '86400');
  res.status(204).end();
}

function neverCached(_req: Request, res: Response, next: NextFunction): void {
  res.set({ 'Cache-Control': 'no-store', Vary: 'Authorization' });
  next();
}
