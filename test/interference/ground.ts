import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayLogin, migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { loadOrCreateSigningKey } from '@stratos/protocol';
import { Client } from 'pg';

const TEMPLATE = 'empty';

export interface GroundOptions {
  /** Leaves everything to the gateway: row security shows it all there is. */
  withoutRowSecurity: boolean;
}

/** What all stages stand on, threads or not: nothing but text. */
export interface Ground {
  /** Addresses of a migrated database, as its owner and as the gateway: passwords included. */
  owner: string;
  gateway: string;
  /** Where the keys of gateways are. */
  folder: string;
}

export interface OwnedGround extends AsyncDisposable {
  readonly ground: Ground;
}

export async function openGround({ withoutRowSecurity }: GroundOptions): Promise<OwnedGround> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-interference-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = opened.use(
    await startEmbeddedPostgres({ dataDir: join(folder, 'db'), port: 0, persistent: false }),
  );
  await postgres.createDatabase(TEMPLATE);
  const owner = postgres.url(TEMPLATE);
  await migrate(owner);
  if (withoutRowSecurity) await openTables(owner);
  await loadOrCreateSigningKey(sessionKeyFile({ folder }), 'P-256');
  const password = randomBytes(24).toString('base64url');
  const ground = { owner, gateway: await createGatewayLogin(owner, password), folder };
  const owned = opened.move();
  return { ground, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** A copy of the database, by its addresses. */
export async function copyDatabase({ owner, gateway }: Ground, name: string) {
  await withClient(addressOf(owner, 'postgres'), (client) =>
    client.query(`create database ${client.escapeIdentifier(name)} template ${TEMPLATE}`),
  );
  return { owner: addressOf(owner, name), gateway: addressOf(gateway, name) };
}

/** The key of sessions, which all gateways take. */
export function sessionKeyFile({ folder }: Pick<Ground, 'folder'>): string {
  return join(folder, 'session.key');
}

/** Lets the gateway read every row that it may read at all. */
async function openTables(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select distinct tablename as name from pg_policies where schemaname = 'public'`,
    );
    for (const { name } of rows) {
      await client.query(`create policy everything on ${name} for select using (true)`);
    }
  });
}

async function withClient<T>(
  connectionString: string,
  action: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return await action(client);
  } finally {
    await client.end();
  }
}

function addressOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = database;
  return url.href;
}
