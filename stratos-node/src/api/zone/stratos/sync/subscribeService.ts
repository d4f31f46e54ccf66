import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { serveStream } from '../../../../stream/serve-stream.ts';
import { serviceStream } from '../../../../stream/service-stream.ts';

const method = zone.stratos.sync.subscribeService;

export function subscribeService(server: Server, ctx: NodeContext): void {
  serveStream(server, ctx, method.main, ({ isAppView, signal }, { cursor }) => {
    if (!isAppView) throw new NodeError('AuthRequired', 'Not an AppView of this node');
    return serviceStream(ctx, { cursor, signal });
  });
}
