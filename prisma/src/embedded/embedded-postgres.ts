import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { postgresBinaries } from './binaries.ts';
import { type DataFolder, openDataFolder, SUPERUSER } from './data-folder.ts';
import { clearOrphan, OWNER_CONNECTION } from './orphan.ts';
import { freePort, requireFreePort } from './port.ts';
import { reachableBinaries } from './reach.ts';
import { hasEnded, lastWords, spawnServer, stopServer } from './server-process.ts';
import { serverUser } from './server-user.ts';

export interface EmbeddedPostgresOptions {
  /** Folder for the data, the password and the log. Made when missing. */
  dataDir: string;
  /** Port on 127.0.0.1; 0 takes a free one. */
  port: number;
  /** False: crash safety is off, and the folder is removed at the end. */
  persistent: boolean;
}

export interface EmbeddedDatabase extends AsyncDisposable {
  readonly port: number;
  /** Address of a database, password included: not for logs. */
  url(database: string): string;
  /** Makes a database unless it is there. */
  createDatabase(name: string): Promise<void>;
}

/**
 * A Postgres server of our own, bound to loopback. It ends when it is disposed, and no signal to this
 * process stops it earlier. What a killed owner left behind is cleared first.
 *
 * @throws DataFolderInUseError when a living process owns the folder
 * @throws Error that names the port when it is taken
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedDatabase> {
  const user = await serverUser();
  const binaries = await reachableBinaries(await postgresBinaries(), user);
  const folder = await openDataFolder(options.dataDir, binaries, user);
  await clearOrphan(folder);
  const port = options.port || (await freePort());
  await requireFreePort(port);

  const child = await spawnServer(binaries, folder, user, { port, durable: options.persistent });
  const stopAtExit = () => void child.kill('SIGINT');
  process.once('exit', stopAtExit);

  const url = (database: string) =>
    `postgresql://${SUPERUSER}:${folder.password}@127.0.0.1:${port}/${database}`;

  async function close(): Promise<void> {
    await owner?.end().catch(() => {});
    await stopServer(child);
    process.off('exit', stopAtExit);
    if (options.persistent) return;
    for (const path of new Set([folder.root, options.dataDir])) {
      await rm(path, { recursive: true, force: true });
    }
  }

  let owner: Client | undefined;
  try {
    owner = await connectWhenReady(url('postgres'), child, folder);
  } catch (error) {
    await close();
    throw error;
  }
  const connection = owner;
  return {
    port,
    url,
    createDatabase: (name) => createDatabase(connection, name),
    [Symbol.asyncDispose]: close,
  };
}

async function connectWhenReady(
  connectionString: string,
  child: ChildProcess,
  folder: DataFolder,
): Promise<Client> {
  for (;;) {
    const client = new Client({ connectionString, application_name: OWNER_CONNECTION });
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch {
      await client.end().catch(() => {});
    }
    if (hasEnded(child)) {
      throw new Error(`The embedded Postgres did not start:\n${await lastWords(folder)}`);
    }
    await sleep(50);
  }
}

async function createDatabase(client: Client, name: string): Promise<void> {
  const found = await client.query('select 1 from pg_database where datname = $1', [name]);
  if (found.rows.length > 0) return;
  await client.query(`create database ${client.escapeIdentifier(name)}`);
}
