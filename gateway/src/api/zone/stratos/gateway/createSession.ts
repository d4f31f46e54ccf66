import { zone } from '@stratos/protocol/lexicons';
import type { ApiDependencies } from '../../../context.ts';

const method = zone.stratos.gateway.createSession;
type Output = zone.stratos.gateway.createSession.$OutputBody;

export function createSession({ server, viewers }: ApiDependencies): void {
  server.add(method.main, {
    handler: async ({ req, res }) => {
      const { expiresAt, ...session } = await viewers.createSession(req, res, method.$lxm);
      const body = { ...session, expiresAt: expiresAt.toISOString() } as Output;
      return { encoding: 'application/json', body };
    },
  });
}
