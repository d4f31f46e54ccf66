/** The `lxm` of a service-auth token by which GraphQL is called directly. */
export const GRAPHQL_METHOD = 'zone.stratos.gateway.graphql';
/** The `lxm` of a service-auth token by which tRPC is called directly. */
export const TRPC_METHOD = 'zone.stratos.gateway.trpc';
