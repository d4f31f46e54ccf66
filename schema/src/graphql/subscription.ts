import {
  CLOSE_REASONS,
  type CloseReason,
  type LiveDelivery,
  type LiveEvent,
  liveOf,
} from '../live.ts';
import type { Visible } from '../visible.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';
import { encodeGlobalID } from './global-id.ts';
import { type PostRef, postId } from './post.ts';

type Delivery<Type extends LiveEvent['type']> = Visible<LiveDelivery> & {
  event: Extract<LiveEvent, { type: Type }>;
};

const TYPE_NAMES: Record<LiveEvent['type'], string> = {
  opened: 'StreamOpened',
  post: 'PostShown',
  removed: 'PostRemoved',
  boundaryOpened: 'BoundaryOpened',
  boundaryClosed: 'BoundaryClosed',
  reset: 'StreamReset',
  closed: 'StreamClosed',
};

/** What happens to posts, as it happens. */
export function addSubscription(
  builder: Builder,
  refs: { post: PostRef; boundary: BoundaryRef },
): void {
  const postEvent = builder.interfaceRef<Visible<LiveDelivery>>('PostEvent').implement({
    description: 'Something that happened to the posts that are followed.',
    resolveType: ({ event }) => TYPE_NAMES[event.type],
    fields: (t) => ({
      cursor: t.exposeString('cursor', {
        description:
          'Where to go on after this event: opaque, good for this viewer and this subscription only.',
      }),
    }),
  });
  const closeReason = builder.enumType('CloseReason', {
    description: 'Why a stream was closed.',
    values: Object.fromEntries(
      Object.entries(CLOSE_REASONS).map(([reason, description]) => [
        constantCase(reason),
        { value: reason as CloseReason, description },
      ]),
    ),
  });
  const event = <Type extends LiveEvent['type']>(type: Type) =>
    builder.objectRef<Delivery<Type>>(TYPE_NAMES[type]);

  event('opened').implement({
    description: 'The first event: what happens after its cursor is told. Read the page after it.',
    interfaces: [postEvent],
    fields: (t) => ({
      boundaries: t.field({
        type: [refs.boundary],
        description:
          'The boundaries that the stream tells of right now. What is shown of others has to go.',
        resolve: ({ event: { boundaries } }) => boundaries,
      }),
    }),
  });
  event('post').implement({
    description: 'A post that is new, has changed, or can be read again.',
    interfaces: [postEvent],
    fields: (t) => ({
      post: t.field({
        type: refs.post,
        description: 'The post as it is now.',
        resolve: ({ event: { post } }) => post,
      }),
    }),
  });
  event('removed').implement({
    description:
      'A post that is gone, or is not to be read here any more, whether it was shown or not.',
    interfaces: [postEvent],
    fields: (t) => ({
      postId: t.id({
        description: 'The global id of the post.',
        resolve: ({ event: removed }) => encodeGlobalID(refs.post.name, postId(removed)),
      }),
      uri: t.field({
        type: 'AtUri',
        description: 'Its address.',
        resolve: ({ event: { uri } }) => uri,
      }),
      node: t.field({
        type: 'Did',
        description: 'The node that held it.',
        resolve: ({ event: { node } }) => node,
      }),
    }),
  });
  event('boundaryOpened').implement({
    description: 'A boundary that can be read from now on: read what was posted to it before.',
    interfaces: [postEvent],
    fields: (t) => ({
      boundary: t.field({
        type: refs.boundary,
        description: 'The boundary.',
        resolve: ({ event: { boundary } }) => boundary,
      }),
    }),
  });
  event('boundaryClosed').implement({
    description: 'A boundary that cannot be read any more: what is shown of it has to go.',
    interfaces: [postEvent],
    fields: (t) => ({
      boundary: t.field({
        type: refs.boundary,
        description: 'The boundary.',
        resolve: ({ event: { boundary } }) => boundary,
      }),
    }),
  });
  event('reset').implement({
    description: 'What happened before is not known any more: read everything anew.',
    interfaces: [postEvent],
  });
  event('closed').implement({
    description: 'The last event of a stream.',
    interfaces: [postEvent],
    fields: (t) => ({
      reason: t.field({
        type: closeReason,
        description: 'Why it was closed.',
        resolve: ({ event: { reason } }) => reason,
      }),
    }),
  });

  builder.subscriptionType({
    description: 'What can be followed. All of it needs somebody to be signed in.',
    fields: (t) => ({
      posts: t.field({
        type: postEvent,
        description:
          'What happens to the posts of all boundaries that the viewer is a member of, at each moment.',
        args: {
          boundary: t.arg({ type: 'Boundary', description: 'Only posts of this boundary.' }),
          after: t.arg.string({ description: 'Cursor of the last event that was seen.' }),
        },
        subscribe: (_, { boundary, after }, context) =>
          liveOf(context).posts({
            boundary: boundary ?? undefined,
            after: after ?? undefined,
          }),
        resolve: (delivery) => delivery,
      }),
    }),
  });
}

/** `tooSlow` as `TOO_SLOW`. */
function constantCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
