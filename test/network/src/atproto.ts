import { Server } from 'node:net';
import { PDS } from '@atproto/pds';
import plc from '@did-plc/server';

/**
 * The AT Protocol side of the local network as one process: a PLC directory and a PDS. `PLC_PORT` and
 * `PLC_DATABASE_URL` are read here, the `PDS_*` variables by `@atproto/pds` itself.
 */
async function main(): Promise<void> {
  listenOnLoopbackAlone();
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

/** Neither package takes a host, and accounts whose password everybody knows are for this machine alone. */
function listenOnLoopbackAlone(): void {
  const listen: (port: number, host: string, done: () => void) => Server = Server.prototype.listen;
  Server.prototype.listen = function (this: Server, port: number, done: () => void) {
    return listen.call(this, port, '127.0.0.1', done);
  } as typeof Server.prototype.listen;
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

await main();
