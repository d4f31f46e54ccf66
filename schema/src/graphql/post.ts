import { type AtUri, type Did, isAtUri, isDid } from '@stratos/protocol';
import type { PostView } from '../views.ts';
import type { Visible } from '../visible.ts';
import type { ActorRef } from './actor.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';

/** Post, which is refetched by its address and the node that holds it. */
export function addPost(builder: Builder, refs: { actor: ActorRef; boundary: BoundaryRef }) {
  return builder.node(builder.objectRef<Visible<PostView>>('Post'), {
    description: 'A post, verified, as the viewer may see it.',
    id: { resolve: (post) => postId(post) },
    isTypeOf: (value) => typeof value === 'object' && value !== null && 'record' in value,
    fields: (t) => ({
      uri: t.expose('uri', { type: 'AtUri', description: 'Its address.' }),
      cid: t.expose('cid', { type: 'Cid', description: 'The hash of the signed record.' }),
      author: t.field({
        type: refs.actor,
        description: 'Who wrote it.',
        resolve: (post) => post.author,
      }),
      text: t.exposeString('text', { description: 'Its text.' }),
      record: t.expose('record', {
        type: 'JSON',
        description:
          'The whole record as its author signed it, but for boundaries that the viewer does not share.',
      }),
      createdAt: t.expose('createdAt', {
        type: 'DateTime',
        description: 'When its author says that it was written.',
      }),
      indexedAt: t.expose('indexedAt', {
        type: 'DateTime',
        description: 'When this service first saw it.',
      }),
      boundaries: t.field({
        type: [refs.boundary],
        description: 'Its boundaries that the viewer shares; all of them for its author.',
        resolve: (post) => post.boundaries,
      }),
      replyRoot: t.expose('replyRoot', {
        type: 'AtUri',
        nullable: true,
        description: 'Address of the post that began the thread, if this is a reply.',
      }),
      replyParent: t.expose('replyParent', {
        type: 'AtUri',
        nullable: true,
        description: 'Address of the post that this one answers, if it is a reply.',
      }),
    }),
  });
}

/** A post by its address and the node that holds it, as `node` takes it. */
function postId({ node, uri }: PostView): string {
  return `${node} ${uri}`;
}

/** Undefined when it is not the id of a post. */
export function parsePostId(id: string): { node: Did; uri: AtUri } | undefined {
  const [node, uri] = id.split(' ');
  return isDid(node) && isAtUri(uri) ? { node, uri } : undefined;
}

export type PostRef = ReturnType<typeof addPost>;
