import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';
import type { ApiContext } from '../context.ts';
import type { JsonObject } from '../views.ts';
import { decodeGlobalID, encodeGlobalID } from './global-id.ts';

export interface SchemaTypes {
  Context: ApiContext;
  DefaultFieldNullability: false;
  DefaultNodeNullability: false;
  DefaultEdgesNullability: false;
  Scalars: {
    AtUri: { Input: AtUri; Output: string };
    Boundary: { Input: Boundary; Output: Boundary };
    Cid: { Input: Cid; Output: Cid };
    DateTime: { Input: string; Output: string };
    Did: { Input: Did; Output: Did };
    JSON: { Input: never; Output: JsonObject };
  };
}

export type Builder = ReturnType<typeof createBuilder>;

export function createBuilder() {
  return new SchemaBuilder<SchemaTypes>({
    plugins: [RelayPlugin],
    defaultFieldNullability: false,
    relay: {
      cursorType: 'String',
      idFieldOptions: { description: 'The global id, by which `node` finds it again.' },
      nodeTypeOptions: { description: 'Something that can be fetched again by its global id.' },
      nodesQueryOptions: false,
      nodeQueryOptions: false,
      encodeGlobalID,
      decodeGlobalID,
      pageInfoTypeOptions: { description: 'Where a page lies in its feed.' },
      hasNextPageFieldOptions: { description: 'Whether there is a page after this one.' },
      hasPreviousPageFieldOptions: { description: 'Whether this page follows another.' },
      startCursorFieldOptions: { description: 'Cursor of the first edge.' },
      endCursorFieldOptions: { description: 'Cursor of the last edge: `after` of the next page.' },
      cursorFieldOptions: {
        description: 'Where this edge lies: opaque, good for this viewer and this feed only.',
      },
      nodeFieldOptions: { description: 'The post.' },
      pageInfoFieldOptions: { description: 'Where this page lies in its feed.' },
      edgesFieldOptions: { description: 'The posts of the page, with their cursors.' },
      defaultConnectionTypeOptions: {
        description: 'A page of posts, newest first. It is full, or it is the last.',
      },
      defaultEdgeTypeOptions: { description: 'A post in a page.' },
    },
  });
}
