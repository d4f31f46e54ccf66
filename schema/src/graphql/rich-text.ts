import type { FacetView } from '../views.ts';
import type { Builder } from './builder.ts';

export function addFacet(builder: Builder) {
  return builder.objectRef<FacetView>('Facet').implement({
    description:
      'A part of a text that stands for something. The facets of a text are in order and do not overlap.',
    fields: (t) => ({
      byteStart: t.exposeInt('byteStart', {
        description: 'Where it begins, in bytes of the UTF-8 of the text.',
      }),
      byteEnd: t.exposeInt('byteEnd', {
        description: 'Where it ends, in the same bytes: the first one that is not part of it.',
      }),
      mention: t.expose('mention', {
        type: 'Did',
        nullable: true,
        description: 'Who is mentioned, if it is a mention.',
      }),
      link: t.exposeString('link', {
        nullable: true,
        description: 'Where it leads, if it is a link: an http or https URL.',
      }),
      tag: t.exposeString('tag', {
        nullable: true,
        description: 'The hashtag without the `#`, if it is one.',
      }),
    }),
  });
}

export type FacetRef = ReturnType<typeof addFacet>;
