import { createStratosClient, isStratosError } from '@stratos/client-trpc';

const stratos = createStratosClient({ gateway: 'http://localhost:4000' });

/** What an app writes of all operations, for its types to be checked. */
export async function readEverything(uri: string): Promise<string[]> {
  try {
    const [viewer, timeline, thread, found, boundaries] = await Promise.all([
      stratos.viewer.query(),
      stratos.timeline.query({ limit: 20, counts: true }),
      stratos.thread.query({ uri, depth: 2 }),
      stratos.search.query({ text: 'blade' }),
      stratos.boundaries.query(),
    ]);
    const author = await stratos.authorFeed.query({ actor: viewer.did, cursor: timeline.cursor });
    const posts = [...timeline.posts, ...found.posts, ...author.posts];
    return [
      ...posts.map(({ text, author: { handle } }) => `${handle}: ${text}`),
      ...boundaries.map(({ uri, name }) => `${uri} ${name}`),
      thread?.post.text ?? 'no such thread',
    ];
  } catch (error) {
    return isStratosError(error) ? [error.data?.reason ?? 'nobody answered'] : [];
  }
}

stratos.livePosts.subscribe(
  {},
  { onData: ({ data }) => data.type === 'post' && console.log(data.post.text) },
);
