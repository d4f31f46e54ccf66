import type { LiveInput } from '@stratos/schema';
import { incomingMessageToRequest } from '@trpc/server/adapters/node-http';
import { resolveResponse } from '@trpc/server/http';
import type { Request, RequestHandler, Response } from 'express';
import type { PostStream } from '../live/post-stream.ts';
import { sendTrpcEvents } from '../live/trpc-events.ts';
import type { TrpcOptions } from './options.ts';

/**
 * Answers the subscription `livePosts`: all but the sending is done by the router, which would write down each
 * event for each who gets it.
 */
export function livePosts(options: TrpcOptions): RequestHandler {
  return async (req, res, next) => {
    const { host = 'localhost' } = req.headers;
    // Of what has no address, the library tells.
    if (!URL.canParse(req.url, `http://${host}`)) return next();
    try {
      const stream = await open(options, req, res);
      if (stream) await sendTrpcEvents(stream, res);
    } catch (error) {
      next(error);
    }
  };
}

/** Undefined when it was refused, and that was answered. */
function open(
  { createContext, ...options }: TrpcOptions,
  req: Request,
  res: Response,
): Promise<PostStream | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<PostStream | undefined>();
  const answering = resolveResponse({
    ...options,
    req: incomingMessageToRequest(req, res, { maxBodySize: null }),
    path: 'livePosts',
    error: null,
    createContext: async ({ info }) => {
      const { live, ...context } = await createContext({ req, res, info });
      if (!live) return context;
      const posts = async (input: LiveInput) => {
        resolve(await live.posts(input));
        // The router has done its part, and is left waiting.
        return new Promise<never>(() => {});
      };
      return { ...context, live: { posts } };
    },
  });
  answering
    .then(async (answer) => {
      const body = await answer.text();
      res.status(answer.status).setHeaders(answer.headers).end(body);
    })
    .then(() => resolve(undefined), reject);
  return promise;
}
