import { operationsOf } from '../context.ts';
import type { ProfileView, SharedBoundaryView } from '../views.ts';
import type { Visible } from '../visible.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';
import { given, type PostConnectionRef, pagingArgs } from './feed.ts';

interface Refs {
  boundary: BoundaryRef;
  postConnection: PostConnectionRef;
}

export function addProfile(builder: Builder, refs: Refs) {
  const sharedBoundary = addSharedBoundary(builder, refs.boundary);
  return builder.objectRef<Visible<ProfileView>>('Profile').implement({
    description: 'A person of whom the viewer may read something, or the viewer.',
    fields: (t) => ({
      did: t.expose('did', { type: 'Did', description: 'Their permanent identifier.' }),
      handle: t.exposeString('handle', {
        description: 'Their handle, or `handle.invalid` while none is verified.',
      }),
      boundaries: t.field({
        type: [sharedBoundary],
        description:
          'Boundaries that are open to the viewer and have posts of theirs; for the viewer, all that are open.',
        resolve: (profile) => profile.boundaries,
      }),
      posts: t.field({
        type: refs.postConnection,
        description: 'Their posts, as `authorFeed` has them.',
        args: {
          boundary: t.arg({ type: 'Boundary', description: 'Only posts of this boundary.' }),
          ...pagingArgs(builder),
        },
        resolve: ({ did }, args, context) =>
          operationsOf(context).authorFeed({ actor: did, ...given(args) }),
      }),
    }),
  });
}

export type ProfileRef = ReturnType<typeof addProfile>;

function addSharedBoundary(builder: Builder, boundary: BoundaryRef) {
  return builder.objectRef<SharedBoundaryView>('SharedBoundary').implement({
    description: 'A boundary in which the viewer reads somebody.',
    fields: (t) => ({
      boundary: t.field({
        type: boundary,
        description: 'The boundary.',
        resolve: (shared) => shared.boundary,
      }),
      postCount: t.exposeInt('postCount', {
        description: 'Posts of that person in it; 100 stands for as many or more.',
      }),
    }),
  });
}
