import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';

const method = zone.stratos.gateway.getViewer;
type Output = zone.stratos.gateway.getViewer.$OutputBody;

export function getViewer({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth }) => ({
      encoding: 'application/json',
      body: (await auth.credentials.viewer()) as Output,
    }),
  });
}
