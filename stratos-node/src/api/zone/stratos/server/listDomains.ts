import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';

const method = zone.stratos.server.listDomains;

export function listDomains(server: Server, ctx: NodeContext): void {
  server.add(method.main, async () => ({
    encoding: 'application/json' as const,
    body: { domains: [...ctx.config.boundaries] },
  }));
}
