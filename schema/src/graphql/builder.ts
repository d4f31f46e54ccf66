import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import type { AtUri, Boundary, Cid, Did } from '@stratos/protocol';
import type { ApiContext } from '../context.ts';
import type { JsonObject } from '../views.ts';
import { decodeGlobalID, encodeGlobalID } from './global-id.ts';

export interface SchemaTypes {
  Context: ApiContext;
  DefaultFieldNullability: false;
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
      idFieldOptions: { description: 'The global id, by which `node` finds it again.' },
      nodeTypeOptions: { description: 'Something that can be fetched again by its global id.' },
      nodesQueryOptions: false,
      nodeQueryOptions: false,
      encodeGlobalID,
      decodeGlobalID,
    },
  });
}
