import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';
import { boundaryParam } from '../../../params.ts';

const method = zone.stratos.boundary.getBoundary;
type Output = zone.stratos.boundary.getBoundary.$OutputBody;

export function getBoundary({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth, params }) => {
      const boundary = boundaryParam(params.boundary);
      const view = await auth.credentials.boundary({ boundary });
      return { encoding: 'application/json', body: found(view, 'BoundaryNotFound') as Output };
    },
  });
}
