export * from '../generated/client.ts';
export { type ClientOptions, createPrismaClient } from './client.ts';
export { DatabaseAwayError } from './database-away.ts';
export {
  type EmbeddedDatabase,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './embedded/embedded-postgres.ts';
export { DataFolderInUseError } from './embedded/orphan.ts';
export { migrate } from './migrations/migrate.ts';
export { type Follow, ReadPool, type ReadPoolOptions } from './read-pool.ts';
export { createGatewayLogin } from './row-security/gateway-login.ts';
export { GATEWAY_ROLE, GatewayRoleError } from './row-security/gateway-role.ts';
export { whyUnguarded } from './row-security/row-security.ts';
