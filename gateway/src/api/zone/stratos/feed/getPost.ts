import { zone } from '@stratos/protocol/lexicons';
import { ApiError } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { uriParam } from '../../../params.ts';
import { postView } from '../../../views.ts';

const method = zone.stratos.feed.getPost;

export function getPost({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth, params }) => {
      const post = await auth.credentials.post({ uri: uriParam(params.uri) });
      if (!post) throw new ApiError('NOT_FOUND', 'There is no such record');
      return { encoding: 'application/json', body: { post: postView(post) } };
    },
  });
}
