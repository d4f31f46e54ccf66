import { type Boundary, boundaryName, boundaryNode } from '@stratos/protocol';
import type { Builder } from './builder.ts';

export function addBoundary(builder: Builder) {
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
    }),
  });
}

export type BoundaryRef = ReturnType<typeof addBoundary>;
