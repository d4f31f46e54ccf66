import { XRPCError } from '@atproto/xrpc-server';
import type { Did } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type Request, type Response, Router } from 'express';
import type { NodeContext } from '../context.ts';
import { NodeError, toAnswer } from '../node-error.ts';
import { unenroll } from './unenroll.ts';

const { status, unenroll: unenrollment } = zone.stratos.enrollment;

/**
 * `GET /oauth/status` and `POST /oauth/revoke`: a person's own enrollment for clients that know it by
 * these names, with the tokens of the XRPC methods that do the same.
 */
export function ownRoutes(ctx: NodeContext): Router {
  const router = Router();
  router.get('/oauth/status', (req, res) =>
    answerCaller(ctx, { req, res, lxm: status.$lxm }, (did) => ownStatus(ctx, did)),
  );
  router.post('/oauth/revoke', (req, res) =>
    answerCaller(ctx, { req, res, lxm: unenrollment.$lxm }, (did) => revoke(ctx, did)),
  );
  return router;
}

async function ownStatus(ctx: NodeContext, did: Did): Promise<object> {
  const known = await ctx.service.enrollments.get(did);
  if (!known?.active) return { did, enrolled: false };
  const boundaries = known.boundaries.map((value) => ({ value }));
  return { did, enrolled: true, enrolledAt: known.enrolledAt, boundaries };
}

async function revoke(ctx: NodeContext, did: Did): Promise<object> {
  if (!(await unenroll(ctx, did))) throw new NodeError('NotEnrolled');
  ctx.logger.info({ did }, 'unenrolled');
  return { did, revoked: true };
}

interface Exchange {
  req: Request;
  res: Response;
  /** The method whose token is wanted. */
  lxm: string;
}

async function answerCaller(
  ctx: NodeContext,
  { req, res, lxm }: Exchange,
  run: (did: Did) => Promise<object>,
): Promise<void> {
  res.set({ 'Cache-Control': 'no-store', Vary: 'Authorization' });
  try {
    res.json(await run(await ctx.authenticator.caller(req, lxm)));
  } catch (error) {
    const answer = toAnswer(error);
    if (answer instanceof NodeError) res.set(answer.headers);
    const { statusCode, payload } = XRPCError.fromError(answer);
    if (statusCode >= 500) ctx.logger.error({ err: error, path: req.path }, 'a method failed');
    res.status(statusCode).json(payload);
  }
}
