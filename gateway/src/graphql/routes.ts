import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import type { createGraphqlServer } from './server.ts';

const MAX_BODY = '100kb';

/**
 * GraphQL over HTTP: POST of JSON and nothing else, which no other site's page can make a browser
 * send without asking first.
 */
export function graphqlRoutes(server: ReturnType<typeof createGraphqlServer>): Router {
  const router = Router();
  router.get('/', (req, res, next) => {
    if (req.accepts(['json', 'html']) === 'html') res.redirect('/graphiql');
    else next();
  });
  router.all('/', (req, res, next) => {
    if (req.method !== 'POST') {
      res.setHeader('Allow', 'POST');
      refuse(res, 405, 'Use POST');
    } else if (!req.is('application/json')) refuse(res, 415, 'Send application/json');
    else next();
  });
  router.post('/', express.json({ limit: MAX_BODY }), (req: Request, res: Response) =>
    server(req, res, { req, res } as never),
  );
  const badBody: ErrorRequestHandler = (error, _req, res, next) => {
    const status: unknown = error?.status;
    if (typeof status !== 'number' || status >= 500) return next(error);
    refuse(res, status, status === 413 ? 'The query is too large' : 'The body is not JSON');
  };
  router.use(badBody);
  return router;
}

function refuse(res: Response, status: number, message: string): void {
  res.status(status).json({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
}
