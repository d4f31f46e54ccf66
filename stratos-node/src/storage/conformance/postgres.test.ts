import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { silentLogger } from '../../logger.ts';
import { createTestDatabase } from '../../testing/test-database.ts';
import { NODE_DID } from '../../testing/test-node.ts';
import { openStorage } from '../open-storage.ts';
import { openPool } from '../postgres/pool.ts';
import { SchemaTooNewError } from '../sql/migrate.ts';
import { describeStorage } from './describe-storage.ts';

function open(url: string) {
  const pools = { actorPoolSize: 8, adminPoolSize: 2, blockCacheSize: 1_000 };
  const storage = { backend: 'postgres' as const, url, ...pools };
  return openStorage({ dataDir: '', serviceDid: NODE_DID, storage }, silentLogger);
}

describeStorage('Postgres', async () => {
  const database = await createTestDatabase();
  return {
    open: () => open(database.url),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

it('refuses a Postgres that a newer version has written', async () => {
  await using database = await createTestDatabase();
  await (await open(database.url))[Symbol.asyncDispose]();
  const admin = openPool(database.url, { max: 1, schema: 'stratos', logger: silentLogger });
  await sql`INSERT INTO stratos_migration VALUES (999, 'in the future')`.execute(admin);
  await admin.destroy();
  await expect(open(database.url)).rejects.toThrow(SchemaTooNewError);
});
