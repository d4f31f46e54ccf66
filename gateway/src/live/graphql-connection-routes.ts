import { ApiError, ERRORS, type ErrorCode, unauthenticated } from '@stratos/schema';
import { type Response, Router } from 'express';
import { GRAPHQL_METHOD } from '../methods.ts';
import type { RequestViewers } from '../viewer/requests.ts';
import type { GraphqlConnections } from './graphql-connections.ts';

/**
 * One connection for all answers, by the single connection mode of the GraphQL over SSE protocol: PUT reserves
 * it, GET opens it, POST asks something, DELETE ends a subscription. POST is passed on when it may be answered.
 */
export function graphqlConnectionRoutes(
  connections: GraphqlConnections,
  viewers: RequestViewers,
): Router {
  const router = Router();
  router.use('/', async (req, res, next) => {
    const connection = connections.askedFor(req);
    if (req.method === 'POST') {
      if (connection) next();
      else refuse(res, 'NOT_FOUND', 'There is no such connection');
      return;
    }
    try {
      const caller = await viewers.identify(req, res, GRAPHQL_METHOD);
      if (!caller) throw unauthenticated();
      if (req.method === 'PUT') {
        res.status(201).type('text/plain').send(connections.reserve(caller.did).token);
      } else if (connection?.viewer !== caller.did) {
        refuse(res, 'NOT_FOUND', 'There is no such connection');
      } else if (req.method === 'GET') {
        connections.open(connection, res);
      } else if (req.method === 'DELETE') {
        connection.stop(String(req.query['operationId'] ?? ''));
        res.status(200).end();
      } else next();
    } catch (error) {
      if (error instanceof ApiError) refuse(res, error.code, error.message);
      else next(error);
    }
  });
  return router;
}

function refuse(res: Response, code: ErrorCode, message: string): void {
  res.status(ERRORS[code].status).json({ errors: [{ message, extensions: { code } }] });
}
