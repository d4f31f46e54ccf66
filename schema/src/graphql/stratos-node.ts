import type { NodeView } from '../views.ts';
import type { Visible } from '../visible.ts';
import type { BoundaryRef } from './boundary.ts';
import type { Builder } from './builder.ts';

export function addStratosNode(builder: Builder, boundary: BoundaryRef) {
  return builder.objectRef<Visible<NodeView>>('StratosNode').implement({
    description: 'A node that keeps what the viewer writes, and says what they are a member of.',
    fields: (t) => ({
      did: t.expose('did', { type: 'Did', description: 'Its permanent identifier.' }),
      endpoint: t.exposeString('endpoint', { description: 'The URL at which it is reached.' }),
      isHeard: t.exposeBoolean('isHeard', {
        description: 'Whether it can be heard: its boundaries are closed while it cannot.',
      }),
      isEnrolled: t.exposeBoolean('isEnrolled', {
        description: 'Whether the viewer is enrolled with it now.',
      }),
      statedAt: t.expose('statedAt', {
        type: 'DateTime',
        description: 'When it last said who the viewer is to it.',
      }),
      boundaries: t.field({
        type: [boundary],
        description: 'Those of its boundaries that the viewer is a member of.',
        resolve: (node) => node.boundaries,
      }),
    }),
  });
}

export type StratosNodeRef = ReturnType<typeof addStratosNode>;
