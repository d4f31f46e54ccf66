import type { NodeOAuthClient } from '@atproto/oauth-client-node';
import { nodeDidDocument } from '@stratos/protocol';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { createXrpcServer } from '../api/index.ts';
import { offerNonce } from '../auth/offer-nonce.ts';
import type { NodeConfig } from '../config.ts';
import type { NodeContext } from '../context.ts';
import { clientMetadata, JWKS_PATH } from '../enrollment/oauth-client.ts';
import { oauthRoutes } from '../enrollment/oauth-routes.ts';
import { ownRoutes } from '../enrollment/own-routes.ts';
import { limitRequests } from '../limits/limit-requests.ts';
import { observeRequests } from './observe-requests.ts';
import { operatingRoutes } from './operating-routes.ts';

/** Headers that scripts of other origins may read. */
const EXPOSED_HEADERS =
  'WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy';

/** The node's HTTP face. */
export function createApp(ctx: NodeContext, oauth: NodeOAuthClient): Express {
  const { config } = ctx;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(observeRequests(ctx));
  app.use((_req, res, next) => {
    res.set('X-Content-Type-Options', 'nosniff');
    next();
  });
  app.get('/', (_req, res) => void res.type('text').send(banner(config)));
  app.use(limitRequests(ctx), offerNonce(ctx));
  // @NOTE first of all routes, as next to everything that is asked is asked of these
  app.use('/xrpc', cors, neverCached);
  app.use(createXrpcServer(ctx).router);
  app.use(operatingRoutes(ctx));
  app.get('/.well-known/did.json', cors, (_req, res) => {
    const { serviceDid: did, publicUrl, serviceFragment: fragment } = config;
    res.json(nodeDidDocument({ did, publicUrl, signingKey: ctx.nodeKey.did(), fragment }));
  });
  app.get('/client-metadata.json', cors, (_req, res) => void res.json(clientMetadata(config)));
  app.get(JWKS_PATH, cors, (_req, res) => void res.json(oauth.jwks));
  app.use(oauthRoutes(ctx, oauth));
  app.use(ownRoutes(ctx));
  app.use((_req, res) => {
    res.status(404).json({ error: 'NotFound', message: 'There is nothing here' });
  });
  return app;
}

/** What somebody sees who opens the node's address. */
function banner({ serviceDid, operatorContact, repoUrl }: NodeConfig): string {
  const lines = [`A Stratos node: private records of AT Protocol, at ${serviceDid}`];
  if (operatorContact !== undefined) lines.push(`Operator: ${operatorContact}`);
  if (repoUrl !== undefined) lines.push(`Source: ${repoUrl}`);
  return `${lines.join('\n')}\n`;
}

/** Any origin may call, with tokens that it holds itself; never with cookies. */
function cors(req: Request, res: Response, next: NextFunction): void {
  res.set('Access-Control-Allow-Origin', '*');
  res.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  if (req.method !== 'OPTIONS') {
    next();
    return;
  }
  res.set('Access-Control-Allow-Methods', 'GET, POST');
  res.set(
    'Access-Control-Allow-Headers',
    'Authorization, DPoP, Content-Type, Atproto-Proxy, Atproto-Accept-Labelers',
  );
  res.set('Access-Control-Max-Age', '86400');
  res.status(204).end();
}

function neverCached(_req: Request, res: Response, next: NextFunction): void {
  res.set({ 'Cache-Control': 'no-store', Vary: 'Authorization' });
  next();
}
