import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { addMethod } from '../../../add-method.ts';

const method = zone.stratos.server.createSession;

export function createSession(server: Server, ctx: NodeContext): void {
  addMethod(
    server,
    method.main,
    async ({ req }) => ({ credentials: await ctx.authenticator.createSession(req) }),
    async ({ auth }) => {
      const { did, token, expiresAt } = auth.credentials;
      return {
        encoding: 'application/json' as const,
        body: {
          did,
          token,
          tokenType: 'DPoP' as const,
          expiresAt: expiresAt.toISOString() as DatetimeString,
        },
      };
    },
  );
}
