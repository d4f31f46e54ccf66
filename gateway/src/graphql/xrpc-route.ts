import { ERRORS, type ErrorCode } from '@stratos/schema';
import express, { type ErrorRequestHandler, Router } from 'express';
import { z } from 'zod';
import type { createGraphqlServer } from './server.ts';

const MAX_BODY = '100kb';
const JSON_TYPE = 'application/json';

const failure = z.object({
  errors: z.tuple(
    [
      z.object({
        message: z.string(),
        extensions: z.object({ code: z.custom<ErrorCode>(isErrorCode) }),
      }),
    ],
    z.unknown(),
  ),
});

/**
 * GraphQL as the procedure `zone.stratos.gateway.graphql`, for who comes through their PDS. What fails
 * within the query is answered as everywhere in GraphQL; what fails before it, as everywhere in XRPC.
 */
export function graphqlXrpcRoute(server: ReturnType<typeof createGraphqlServer>): Router {
  const router = Router();
  router.post('/', express.json({ limit: MAX_BODY }), async (req, res, next) => {
    if (!req.is(JSON_TYPE)) return refuse('BAD_USER_INPUT', 'Send application/json');
    // @NOTE an event stream would outlive the exchange that a PDS passes on
    req.headers.accept = JSON_TYPE;
    try {
      const answer = await server.fetch(
        new URL(req.originalUrl, 'http://localhost'),
        {
          method: 'POST',
          headers: { 'content-type': JSON_TYPE, accept: JSON_TYPE },
          body: JSON.stringify(req.body),
        },
        { req, res },
      );
      const text = await answer.text();
      if (answer.ok && text !== '') return void res.type(JSON_TYPE).send(text);
      const failed = failure.safeParse(text === '' ? undefined : JSON.parse(text));
      if (!failed.success) return refuse('BAD_USER_INPUT', 'This can not be asked here');
      const [{ message, extensions }] = failed.data.errors;
      refuse(extensions.code, message);
    } catch (error) {
      next(error);
    }

    function refuse(code: ErrorCode, message: string): void {
      const { status, xrpc } = ERRORS[code];
      res.status(status).json({ error: xrpc, message });
    }
  });
  const badBody: ErrorRequestHandler = (error, _req, res, next) => {
    const status: unknown = error?.status;
    if (typeof status !== 'number' || status >= 500) return next(error);
    const message = status === 413 ? 'The query is too large' : 'The body is not JSON';
    res.status(status).json({ error: ERRORS.BAD_USER_INPUT.xrpc, message });
  };
  router.use(badBody);
  return router;
}

function isErrorCode(code: unknown): boolean {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
