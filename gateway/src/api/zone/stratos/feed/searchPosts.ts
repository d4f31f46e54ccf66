import { zone } from '@stratos/protocol/lexicons';
import { wholePage } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { optionalBoundaryParam } from '../../../params.ts';
import { postsView } from '../../../views.ts';

const method = zone.stratos.feed.searchPosts;

export function searchPosts({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const page = await operations.search({
        text: params.text,
        boundary: optionalBoundaryParam(params.boundary),
        first: params.limit,
        after: params.cursor,
      });
      const { previousCursor: _, ...body } = postsView(await wholePage(operations, page, params));
      return { encoding: 'application/json', body };
    },
  });
}
