import { zone } from '@stratos/protocol/lexicons';
import { wholePost } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { uriParam } from '../../../params.ts';
import { postView } from '../../../views.ts';

const method = zone.stratos.feed.getPosts;

export function getPosts({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const uris = params.uris.map(uriParam);
      const [posts, unavailable] = await Promise.all([
        operations.posts({ uris }),
        operations.unavailablePosts({ uris }),
      ]);
      const there = posts.filter((post) => post !== null);
      const whole = await Promise.all(there.map((post) => wholePost(operations, post, params)));
      return { encoding: 'application/json', body: { posts: whole.map(postView), unavailable } };
    },
  });
}
