import { PDS } from '@atproto/pds';
import plc from '@did-plc/server';

/**
 * The AT Protocol side of the local network as one process: a PLC directory and a PDS. `PLC_PORT` and
 * `PLC_DATABASE_URL` are read here, the `PDS_*` variables by `@atproto/pds` itself.
 */
async function main(): Promise<void> {
  const database = plc.Database.postgres({ url: variable('PLC_DATABASE_URL') });
  await database.migrateToLatestOrThrow();
  const directory = plc.PlcServer.create({ db: database, port: Number(variable('PLC_PORT')) });
  await directory.start();
  const pds = await PDS.fromEnv();
  await pds.start();

  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    await pds.destroy();
    await directory.destroy();
    process.exit(0);
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

await main();
