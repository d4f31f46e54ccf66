import type { RequestHandler } from 'express';
import type { NodeContext } from '../context.ts';

/** Tells whoever comes with a DPoP proof what the next ones should have as nonce. */
export function offerNonce(ctx: Pick<NodeContext, 'authenticator'>): RequestHandler {
  return (req, res, next) => {
    if (req.headers['dpop'] !== undefined) {
      res.set('DPoP-Nonce', ctx.authenticator.dpopNonce());
    }
    next();
  };
}
