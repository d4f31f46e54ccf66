import type { ViewerView } from '../views.ts';
import type { Visible } from '../visible.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';

export function addViewer(builder: Builder, boundaryRef: BoundaryRef) {
  return builder.objectRef<Visible<ViewerView>>('Viewer').implement({
    description: 'Who is asking.',
    fields: (t) => ({
      did: t.expose('did', { type: 'Did', description: 'Their permanent identifier.' }),
      handle: t.exposeString('handle', {
        description: 'Their handle, or `handle.invalid` while none is verified.',
      }),
      boundaries: t.field({
        type: [boundaryRef],
        description:
          'The boundaries that are open to them right now. Those of a node that cannot be heard are not.',
        resolve: (viewer) => viewer.boundaries,
      }),
    }),
  });
}

export type ViewerRef = ReturnType<typeof addViewer>;
