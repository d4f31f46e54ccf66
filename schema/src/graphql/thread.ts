import { operationsOf } from '../context.ts';
import type { VisibleThread } from '../operations.ts';
import type { Builder } from './builder.ts';
import { given, type PostConnectionRef, pagingArgs } from './feed.ts';
import type { PostRef } from './post.ts';

/** Threads: upwards by their ancestors, downwards by the replies of each post. */
export function addThread(builder: Builder, post: PostRef, postConnection: PostConnectionRef) {
  builder.objectField(post, 'replies', (t) =>
    t.field({
      type: postConnection,
      description: 'Direct replies to it that the viewer may see, oldest first.',
      args: pagingArgs(builder),
      resolve: ({ uri }, args, context) => operationsOf(context).replies({ uri, ...given(args) }),
    }),
  );
  return builder.objectRef<VisibleThread>('Thread').implement({
    description: 'A post and what it answers. What answers it are its `replies`.',
    fields: (t) => ({
      ancestors: t.field({
        type: [post],
        description:
          'What it answers, what that answers, and so on, the uppermost first. It begins below the first post that is missing, deleted or hidden.',
        resolve: (thread) => thread.ancestors,
      }),
      post: t.field({
        type: post,
        description: 'The post itself.',
        resolve: (thread) => thread.post,
      }),
    }),
  });
}

export type ThreadRef = ReturnType<typeof addThread>;
