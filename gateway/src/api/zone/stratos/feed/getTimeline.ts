import { zone } from '@stratos/protocol/lexicons';
import { pageInput, wholePage } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { optionalBoundaryParam } from '../../../params.ts';
import { feedView } from '../../../views.ts';

const method = zone.stratos.feed.getTimeline;

export function getTimeline({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const page = await operations.timeline({
        boundary: optionalBoundaryParam(params.boundary),
        ...pageInput(params),
      });
      const body = feedView(await wholePage(operations, page, params));
      return { encoding: 'application/json', body };
    },
  });
}
