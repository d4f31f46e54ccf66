export * from '../generated/client.ts';
export { type ClientOptions, createPrismaClient } from './client.ts';
export {
  type EmbeddedDatabase,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './embedded/embedded-postgres.ts';
export { DataFolderInUseError } from './embedded/orphan.ts';
export { migrate } from './migrations/migrate.ts';
