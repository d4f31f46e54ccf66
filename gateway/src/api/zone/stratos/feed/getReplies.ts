import { zone } from '@stratos/protocol/lexicons';
import { pageInput, wholePage } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { uriParam } from '../../../params.ts';
import { postsView } from '../../../views.ts';

const method = zone.stratos.feed.getReplies;

export function getReplies({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const page = await operations.replies({ uri: uriParam(params.uri), ...pageInput(params) });
      const body = postsView(await wholePage(operations, page, params));
      return { encoding: 'application/json', body };
    },
  });
}
