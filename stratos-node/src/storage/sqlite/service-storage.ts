import { join } from 'node:path';
import type { ServiceStorage } from '../service-storage.ts';
import { storesOn } from '../sql/service-stores.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import { openDatabase } from './database.ts';
import { serviceMigrations } from './service-schema.ts';

/** Opens `{dataDir}/service.sqlite`. */
export async function openServiceStorage(dataDir: string): Promise<ServiceStorage> {
  const db = await openDatabase<ServiceTables>(join(dataDir, 'service.sqlite'), serviceMigrations);
  return {
    ...storesOn(db),
    transact: (task) => db.transaction().execute((tx) => task(storesOn(tx))),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
