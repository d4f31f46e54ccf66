import { zone } from '@stratos/protocol/lexicons';
import type { Request, Response } from 'express';
import type { NodeContext } from '../context.ts';
import { NodeError, toAnswer } from '../node-error.ts';
import { unenroll } from './unenroll.ts';

/** `POST /oauth/revoke`: {@link unenroll} for clients that know it by that name, with the same token. */
export async function revoke(ctx: NodeContext, req: Request, res: Response): Promise<void> {
  res.set({ 'Cache-Control': 'no-store', Vary: 'Authorization' });
  try {
    const did = await ctx.authenticator.caller(req, zone.stratos.enrollment.unenroll.$lxm);
    if (!(await unenroll(ctx, did))) throw new NodeError('NotEnrolled');
    ctx.logger.info({ did }, 'unenrolled');
    res.json({ did, revoked: true });
  } catch (error) {
    const answer = toAnswer(error);
    if (!(answer instanceof NodeError)) throw error;
    res.status(answer.statusCode).set(answer.headers);
    res.json({ error: answer.code, message: answer.message });
  }
}
