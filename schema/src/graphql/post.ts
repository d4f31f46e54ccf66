import { type AtUri, type Did, isAtUri, isDid } from '@stratos/protocol';
import { operationsOf } from '../context.ts';
import type { PostView } from '../views.ts';
import type { Visible } from '../visible.ts';
import type { ActorRef } from './actor.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';
import type { MediaRefs } from './media.ts';
import type { FacetRef } from './rich-text.ts';

interface Refs {
  actor: ActorRef;
  boundary: BoundaryRef;
  facet: FacetRef;
  media: MediaRefs;
}

/** Post, which is refetched by its address and the node that holds it. */
export function addPost(builder: Builder, refs: Refs) {
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
      facets: t.field({
        type: [refs.facet],
        description: 'What parts of its text stand for.',
        resolve: (post) => post.facets,
      }),
      images: t.field({
        type: [refs.media.image],
        description: 'Its images, 4 at most.',
        resolve: (post) => post.images,
      }),
      external: t.field({
        type: refs.media.external,
        nullable: true,
        description: 'The page elsewhere that it points to.',
        resolve: (post) => post.external,
      }),
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

export type PostRef = ReturnType<typeof addPost>;

/** What is looked up of a post only when it is asked for. */
export function addPostReferences(builder: Builder, post: PostRef): void {
  builder.objectFields(post, (t) => ({
    quote: t.field({
      type: post,
      nullable: true,
      description: 'The post that it quotes; null when it quotes none, or none that may be seen.',
      resolve: (quoting, _, context) => operationsOf(context).quoted(quoting),
    }),
    replyCount: t.int({
      description: 'Replies to it that the viewer may see; 100 stands for as many or more.',
      resolve: async (counted, _, context) =>
        (await operationsOf(context).counts(counted)).replyCount,
    }),
    quoteCount: t.int({
      description:
        'Posts that quote it and that the viewer may see; 100 stands for as many or more.',
      resolve: async (counted, _, context) =>
        (await operationsOf(context).counts(counted)).quoteCount,
    }),
  }));
}

/** A post by its address and the node that holds it, as `node` takes it. */
export function postId({ node, uri }: Pick<PostView, 'node' | 'uri'>): string {
  return `${node} ${uri}`;
}

/** Undefined when it is not the id of a post. */
export function parsePostId(id: string): { node: Did; uri: AtUri } | undefined {
  const [node, uri] = id.split(' ');
  return isDid(node) && isAtUri(uri) ? { node, uri } : undefined;
}
