import { zone } from '@stratos/protocol/lexicons';
import { wholePost } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';
import { uriParam } from '../../../params.ts';
import { postView } from '../../../views.ts';

const method = zone.stratos.feed.getPost;

export function getPost({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const post = found(await operations.post({ uri: uriParam(params.uri) }), 'RecordNotFound');
      const body = { post: postView(await wholePost(operations, post, params)) };
      return { encoding: 'application/json', body };
    },
  });
}
