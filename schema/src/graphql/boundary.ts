import { type Boundary, boundaryName, boundaryNode } from '@stratos/protocol';
import { operationsOf } from '../context.ts';
import type { BoundaryView } from '../views.ts';
import type { Builder } from './builder.ts';

export function addBoundary(builder: Builder) {
  const membership = addMembership(builder);
  return builder.objectRef<Boundary>('BoundaryInfo').implement({
    description: 'A named audience of one node.',
    fields: (t) => ({
      uri: t.field({
        type: 'Boundary',
        description: 'The qualified boundary, as feeds take it for their `boundary`.',
        resolve: (boundary) => boundary,
      }),
      name: t.string({
        description: 'What the operator of the node calls it.',
        resolve: boundaryName,
      }),
      node: t.field({
        type: 'Did',
        description: 'The node that it belongs to, and that alone says who its members are.',
        resolve: boundaryNode,
      }),
      membership: t.field({
        type: membership,
        nullable: true,
        description: 'What the viewer is in it; null when they are not a member.',
        resolve: (boundary, _, context) => operationsOf(context).boundary({ boundary }),
      }),
    }),
  });
}

export type BoundaryRef = ReturnType<typeof addBoundary>;

function addMembership(builder: Builder) {
  return builder.objectRef<BoundaryView>('Membership').implement({
    description: 'That the viewer is a member of a boundary, by the word of its node.',
    fields: (t) => ({
      isOpen: t.exposeBoolean('isOpen', {
        description:
          'Whether the boundary is open right now: false while its node cannot be heard.',
      }),
      statedAt: t.expose('statedAt', {
        type: 'DateTime',
        description: 'When the node last said who the viewer is to it.',
      }),
    }),
  });
}
