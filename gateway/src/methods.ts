import { com, zone } from '@stratos/protocol/lexicons';

/** The `lxm` of a service-auth token by which GraphQL is called, directly or through a PDS. */
export const GRAPHQL_METHOD = zone.stratos.gateway.graphql.$lxm;
/** The `lxm` of a service-auth token by which a file of a post is asked for. */
export const BLOB_METHOD = com.atproto.sync.getBlob.$lxm;
/** The `lxm` of a service-auth token by which tRPC is called directly. */
export const TRPC_METHOD = 'zone.stratos.gateway.trpc';
