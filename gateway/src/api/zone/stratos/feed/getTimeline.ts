import { zone } from '@stratos/protocol/lexicons';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { boundaryParam } from '../../../params.ts';
import { feedView } from '../../../views.ts';

const method = zone.stratos.feed.getTimeline;

export function getTimeline({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth, params }) => {
      const page = await auth.credentials.timeline({
        boundary: boundaryParam(params.boundary),
        first: params.limit,
        after: params.cursor,
      });
      return { encoding: 'application/json', body: feedView(page) };
    },
  });
}
