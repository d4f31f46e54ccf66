import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';
import { didParam } from '../../../params.ts';

const method = zone.stratos.node.getNode;
type Output = zone.stratos.node.getNode.$OutputBody;

export function getNode({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth, params }) => {
      const node = await auth.credentials.node({ did: didParam(params.did) });
      return { encoding: 'application/json', body: found(node, 'NodeNotFound') as Output };
    },
  });
}
