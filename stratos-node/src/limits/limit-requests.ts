import { zone } from '@stratos/protocol/lexicons';
import type { Request, RequestHandler } from 'express';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';

/** What anybody may ask for without a token. */
const OPEN_PATHS = new Set([
  '/.well-known/did.json',
  '/client-metadata.json',
  '/oauth/jwks.json',
  `/xrpc/${zone.stratos.server.listDomains.$nsid}`,
  `/xrpc/${zone.stratos.identity.getKeyHistory.$nsid}`,
  `/xrpc/${zone.stratos.enrollment.status.$nsid}`,
]);

const EXPOSED =
  'Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy';

type LimitContext = Pick<NodeContext, 'addressLimit' | 'clientAddress'>;

/** Counts by network address what is asked without a token. */
export function limitRequests({ addressLimit, clientAddress }: LimitContext): RequestHandler {
  return async (req, res, next) => {
    if (!isOpen(req)) return next();
    try {
      res.set(await addressLimit.takeAnonymous(clientAddress(req)));
    } catch (error) {
      if (!(error instanceof NodeError)) return next(error);
      // @NOTE so that scripts of other origins learn when to come back
      res.set('Access-Control-Allow-Origin', '*').set('Access-Control-Expose-Headers', EXPOSED);
      res.status(error.statusCode).set(error.headers);
      res.json({ error: error.code, message: error.message });
      return;
    }
    next();
  };
}

function isOpen({ path, headers, method }: Request): boolean {
  if (method === 'OPTIONS') return false;
  if (path.startsWith('/oauth/')) return true;
  return headers.authorization === undefined && OPEN_PATHS.has(path);
}
