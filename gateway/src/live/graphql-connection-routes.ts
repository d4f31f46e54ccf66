import { ApiError, ERRORS, unauthenticated } from '@stratos/schema';
import { Router } from 'express';
import { GRAPHQL_METHOD } from '../methods.ts';
import type { RequestViewers } from '../viewer/requests.ts';
import { type GraphqlConnections, noConnection } from './graphql-connections.ts';

/**
 * One connection for all answers, by the single connection mode of the GraphQL over SSE protocol: PUT reserves
 * it, GET opens it, DELETE ends a subscription. POST asks something, and is passed on to where that is answered.
 */
export function graphqlConnectionRoutes(
  connections: GraphqlConnections,
  viewers: RequestViewers,
): Router {
  const router = Router();
  router.use('/', async (req, res, next) => {
    if (req.method === 'POST') {
      next();
      return;
    }
    try {
      const caller = await viewers.identify(req, res, GRAPHQL_METHOD);
      if (!caller) throw unauthenticated();
      if (req.method === 'PUT') {
        res.status(201).type('text/plain').send(connections.reserve(caller.did).token);
        return;
      }
      const connection = connections.askedFor(req);
      if (connection?.viewer !== caller.did) throw noConnection();
      if (req.method === 'GET') connections.open(connection, res, caller.until);
      else if (req.method === 'DELETE') {
        connection.stop(String(req.query['operationId'] ?? ''));
        res.status(200).end();
      } else next();
    } catch (error) {
      if (!(error instanceof ApiError)) return next(error);
      const { code, message } = error;
      res.status(ERRORS[code].status).json({ errors: [{ message, extensions: { code } }] });
    }
  });
  return router;
}
