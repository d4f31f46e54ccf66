import type { IncomingMessage } from 'node:http';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { toAnswer } from '../../../../node-error.ts';
import type { StreamMessage } from '../../../../stream/frames.ts';
import { serviceStream } from '../../../../stream/service-stream.ts';
import { cutWhenStalled } from '../../../../stream/stall-guard.ts';

const method = zone.stratos.sync.subscribeService;
/** Consumers have nothing to say. */
const MAX_INCOMING_BYTES = 1024;

export function subscribeService(server: Server, ctx: NodeContext): void {
  server.add(method.main, {
    auth: async ({ req }: { req: IncomingMessage }) => ({
      credentials: { did: await namedAppView(ctx, req) },
    }),
    handler: async function* ({ auth, params, req, signal }): AsyncGenerator<StreamMessage> {
      ctx.logger.info(
        { appView: auth.credentials.did, cursor: params.cursor },
        'an AppView is listening',
      );
      const ends = AbortSignal.any([signal, ctx.stopping]);
      const stream = serviceStream(ctx, { cursor: params.cursor, signal: ends });
      yield* cutWhenStalled(stream, () => req.socket.destroy());
    },
  });
  const socketServer = server.subscriptions.get(method.$nsid)?.wss;
  if (socketServer) socketServer.options.maxPayload = MAX_INCOMING_BYTES;
}

async function namedAppView(ctx: NodeContext, req: IncomingMessage) {
  try {
    return await ctx.authenticator.appView(req, method.$lxm);
  } catch (error) {
    throw toAnswer(error);
  }
}
