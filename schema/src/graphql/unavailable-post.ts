import type { UnavailablePostView } from '../views.ts';
import type { Builder } from './builder.ts';

/** A post that the viewer may see while no node gives it. */
export function addUnavailablePost(builder: Builder) {
  return builder.objectRef<UnavailablePostView>('UnavailablePost').implement({
    description: 'A post that the viewer may see, and whose node does not answer at the moment.',
    fields: (t) => ({
      uri: t.expose('uri', { type: 'AtUri', description: 'Its address.' }),
      node: t.expose('node', { type: 'Did', description: 'The node that holds it.' }),
    }),
  });
}

export type UnavailablePostRef = ReturnType<typeof addUnavailablePost>;
