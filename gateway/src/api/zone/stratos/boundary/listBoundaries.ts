import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';

const method = zone.stratos.boundary.listBoundaries;
type Output = zone.stratos.boundary.listBoundaries.$OutputBody;

export function listBoundaries({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth }) => {
      const body = { boundaries: await auth.credentials.boundaries() } as Output;
      return { encoding: 'application/json', body };
    },
  });
}
