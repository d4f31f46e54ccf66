import { ERRORS } from '@stratos/schema';
import express, { type Express } from 'express';

const MESSAGE = 'The gateway cannot reach its database';

/** Answers for a gateway that has no database yet: it is alive, and nothing can be asked. */
export function createClosedApp(): Express {
  const app = express();
  const { status, xrpc } = ERRORS.UNAVAILABLE;
  app.disable('x-powered-by');
  app.use((_req, res, next) => {
    res.set({ 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' });
    next();
  });
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/ready', (_req, res) => {
    res.status(status).json({ status: 'not ready' });
  });
  app.use(['/graphql', '/graphql/stream'], (_req, res) => {
    const errors = [{ message: MESSAGE, extensions: { code: 'UNAVAILABLE' } }];
    res.status(status).set('Retry-After', '5').json({ errors });
  });
  app.use((_req, res) => {
    res.status(status).set('Retry-After', '5').json({ error: xrpc, message: MESSAGE });
  });
  return app;
}
