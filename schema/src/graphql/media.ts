import type { AspectRatio, BlobView, ExternalView, ImageView } from '../views.ts';
import type { Builder } from './builder.ts';

/** What posts show beside their text. */
export function addMedia(builder: Builder) {
  const blob = addBlob(builder);
  const aspectRatio = builder.objectRef<AspectRatio>('AspectRatio').implement({
    description: 'The form of an image, in any unit.',
    fields: (t) => ({
      width: t.exposeInt('width', { description: 'At least 1.' }),
      height: t.exposeInt('height', { description: 'At least 1.' }),
    }),
  });
  const image = builder.objectRef<ImageView>('Image').implement({
    description: 'An image of a post.',
    fields: (t) => ({
      alt: t.exposeString('alt', { description: 'What is to be seen, in words. May be empty.' }),
      aspectRatio: t.expose('aspectRatio', {
        type: aspectRatio,
        nullable: true,
        description: 'Its form, so that there is room for it before it is loaded.',
      }),
      blob: t.field({ type: blob, description: 'The file.', resolve: (image) => image }),
    }),
  });
  const external = builder.objectRef<ExternalView>('ExternalCard').implement({
    description:
      'A page elsewhere, as the author of a post describes it. Nobody has looked at it since.',
    fields: (t) => ({
      uri: t.exposeString('uri', { description: 'Where it is: an http or https URL.' }),
      title: t.exposeString('title', { description: 'Its title.' }),
      description: t.exposeString('description', { description: 'What it is about.' }),
      thumb: t.expose('thumb', {
        type: blob,
        nullable: true,
        description: 'A small image for it.',
      }),
    }),
  });
  return { image, external };
}

export type MediaRefs = ReturnType<typeof addMedia>;

function addBlob(builder: Builder) {
  return builder.objectRef<BlobView>('Blob').implement({
    description: 'A file that belongs to a post.',
    fields: (t) => ({
      cid: t.expose('cid', { type: 'Cid', description: 'The hash of its bytes.' }),
      mimeType: t.exposeString('mimeType', { description: 'What the author says that it is.' }),
      size: t.exposeInt('size', { description: 'Its size in bytes.' }),
      path: t.exposeString('path', {
        description:
          'Where it is served to who may read the post: a path below the address of this gateway.',
      }),
    }),
  });
}
