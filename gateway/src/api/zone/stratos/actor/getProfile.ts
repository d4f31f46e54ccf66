import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';

const method = zone.stratos.actor.getProfile;
type Output = zone.stratos.actor.getProfile.$OutputBody;

export function getProfile({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth, params }) => {
      const profile = await auth.credentials.actor({ actor: params.actor });
      return { encoding: 'application/json', body: found(profile, 'ActorNotFound') as Output };
    },
  });
}
