import { zone } from '@stratos/protocol/lexicons';
import { wholeThread } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';
import { uriParam } from '../../../params.ts';
import { postView, threadView } from '../../../views.ts';

const method = zone.stratos.feed.getPostThread;

export function getPostThread({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const { height, depth, limit } = params;
      const input = { uri: uriParam(params.uri), height, depth, limit };
      const thread = found(await operations.thread(input), 'RecordNotFound');
      const { ancestors, ...tree } = await wholeThread(operations, thread, params);
      const body = { ancestors: ancestors.map(postView), thread: threadView(tree) };
      return { encoding: 'application/json', body };
    },
  });
}
