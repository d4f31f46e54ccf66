import { isFromThisMachine, processMetrics } from '@stratos/protocol/telemetry';
import { type Request, type Response, Router } from 'express';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import { Readiness } from './readiness.ts';

/** What watches a node asks for: `/health`, `/ready` and `/metrics`. */
export function operatingRoutes(ctx: NodeContext): Router {
  const readiness = new Readiness(ctx);
  const router = Router();
  router.use(['/health', '/ready', '/metrics'], (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/health', (_req, res) => void res.json({ status: 'ok' }));
  router.get('/ready', async (_req, res) => {
    const report = await readiness.report();
    res.status(report.status === 'ready' ? 200 : 503).json(report);
  });
  router.get('/metrics', (req, res) => void sendMetrics(ctx, req, res));
  return router;
}

async function sendMetrics(ctx: NodeContext, req: Request, res: Response): Promise<void> {
  try {
    const isOpen = ctx.config.devMode && isFromThisMachine(req);
    if (!isOpen) await ctx.operatorGate.pass(req, '/metrics');
    const text = `${await ctx.metrics.text()}\n${await processMetrics()}`;
    res.type(ctx.metrics.registry.contentType).send(text);
  } catch (error) {
    if (!(error instanceof NodeError)) {
      ctx.logger.error({ err: error }, 'the metrics cannot be told');
      res.status(500).json({ error: 'InternalServerError', message: 'Internal Server Error' });
      return;
    }
    const { statusCode, headers, code, message } = error;
    res.status(statusCode).set(headers).json({ error: code, message });
  }
}
