import type { IncomingMessage } from 'node:http';
import { l } from '@atproto/lex-schema';
import type { Frame, Server } from '@atproto/xrpc-server';
import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError, toAnswer } from '../node-error.ts';
import { Sockets } from './sockets.ts';
import { StallGuard } from './stall-guard.ts';

interface StreamParams {
  cursor?: number | undefined;
  syncToken?: string | undefined;
}

/** Somebody who wants to hear a stream. */
export interface Consumer {
  did: Did;
  /** Whether it is an AppView that the operator named. */
  isAppView: boolean;
  /** Aborted when there is nobody to hear any more. */
  signal: AbortSignal;
}

interface Opening {
  auth: { credentials: { did: Did } };
  params: StreamParams;
  req: IncomingMessage;
  signal: AbortSignal;
}

/**
 * Adds a stream. Whoever opens it says who they are by a token in the header, or by a ticket; what
 * they may hear is for `open` to decide.
 */
export function serveStream<Method extends l.Subscription>(
  server: Server,
  ctx: NodeContext,
  method: l.Main<Method>,
  open: (
    consumer: Consumer,
    params: l.InferMethodParams<Method>,
  ) => AsyncIterable<l.InferMethodMessage<Method> | Frame>,
): void {
  const { nsid } = l.getMain(method);
  const { limits } = ctx.openStreams;
  const authenticate = async ({ req, params }: { req: IncomingMessage; params: StreamParams }) => ({
    credentials: { did: await callerOf(ctx, nsid, req, params.syncToken) },
  });
  const handler = async function* ({ auth, params, req, signal }: Opening) {
    const { did } = auth.credentials;
    using _place = ctx.openStreams.open(did);
    const isAppView = ctx.config.allowedAppViews.includes(did);
    if (isAppView) {
      const { cursor } = params;
      ctx.logger.info({ appView: did, nsid, cursor }, 'an AppView is listening');
    }
    const ends = AbortSignal.any([signal, ctx.stopping]);
    const consumer = { did, isAppView, signal: ends };
    using guard = new StallGuard(() => sockets.cut(req), limits.stallAfterMs);
    try {
      for await (const message of open(consumer, params as l.InferMethodParams<Method>)) {
        guard.sending();
        yield message;
        guard.taken();
        sockets.tookFrame(req);
      }
    } catch (error) {
      if (!(error instanceof NodeError)) ctx.logger.error({ err: error, nsid }, 'a stream failed');
      throw error;
    }
  };
  const config = { auth: answering(authenticate), handler };
  // @NOTE the overloads of `add` cannot be resolved for a type parameter
  (server.add as (ns: unknown, config: unknown) => void).call(server, method, config);
  const served = server.subscriptions.get(nsid);
  if (!served) throw new Error('a stream was not added');
  const sockets = new Sockets(served, { ...limits, stopping: ctx.stopping });
}

async function callerOf(
  ctx: NodeContext,
  nsid: string,
  req: IncomingMessage,
  ticket: string | undefined,
): Promise<Did> {
  // @NOTE sockets do not pass the limit on requests without a token
  if (req.headers.authorization === undefined) {
    await ctx.addressLimit.takeAnonymous(ctx.clientAddress(req));
  }
  if (ticket !== undefined) return ctx.tickets.redeem(ticket, nsid);
  return ctx.authenticator.caller(req, nsid);
}

/** Passes refusals on as the node's own answers. */
function answering<Args extends unknown[], Result>(
  run: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) =>
    run(...args).catch((error) => {
      throw toAnswer(error);
    });
}
