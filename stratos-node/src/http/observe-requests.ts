import type { Socket } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { NodeContext } from '../context.ts';

type Observers = Pick<NodeContext, 'logger' | 'metrics' | 'tracer'>;

/** Counts, follows and logs each request by the method that it matched; never by what it says. */
export function observeRequests({ logger, metrics, tracer }: Observers): RequestHandler {
  const counted = new WeakMap<Socket, { received: number; sent: number }>();
  return (req: Request, res: Response, next: NextFunction) => {
    const startedAt = performance.now();
    const { socket } = req;
    tracer.begin('request', {}, (span) => {
      res.once('close', () => {
        const method = methodOf(req);
        const status = res.writableFinished ? res.statusCode : 'aborted';
        const ms = performance.now() - startedAt;
        metrics.requests.observe({ method, status }, ms / 1000);
        const before = counted.get(socket) ?? { received: 0, sent: 0 };
        const now = { received: socket.bytesRead, sent: socket.bytesWritten };
        counted.set(socket, now);
        metrics.received.inc({ method }, Math.max(0, now.received - before.received));
        metrics.sent.inc({ method }, Math.max(0, now.sent - before.sent));
        span.rename(method);
        span.set({ 'rpc.method': method, 'http.response.status_code': status });
        span.end(status === 'aborted' || status >= 500 ? 'failed' : 'ok');
        logger.debug({ method, status, ms: Math.round(ms * 10) / 10 }, 'a request');
      });
      next();
    });
  };
}

/** The NSID or the route that a request matched; `unmatched` for everything else. */
export function methodOf(req: Request): string {
  const path: unknown = req.route?.path;
  return typeof path === 'string' ? path.replace(/^\/xrpc\//, '') : 'unmatched';
}
