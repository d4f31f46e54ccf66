import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, startGateway } from '@stratos/gateway';
import { createGatewayLogin, migrate, startEmbeddedPostgres } from '@stratos/prisma';
import { type Did, loadOrCreateSigningKey, Sessions, toDid } from '@stratos/protocol';
import { Client } from 'pg';
import type { World } from './world.ts';
import { writeWorld } from './write-world.ts';

const APPVIEW_DID = toDid('did:web:appview.test');

export interface StageOptions {
  /** Leaves everything to the gateway: row security shows it all there is. */
  withoutRowSecurity: boolean;
}

/** A gateway over a database of its own. */
export interface Scene {
  readonly url: string;
  write(world: World): Promise<void>;
}

/** Two gateways that differ in nothing but what is in their databases. */
export interface Stage extends AsyncDisposable {
  readonly scenes: readonly [Scene, Scene];
  /** A session that both accept. */
  token(viewer: Did): Promise<string>;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-interference-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = opened.use(
    await startEmbeddedPostgres({ dataDir: join(folder, 'db'), port: 0, persistent: false }),
  );
  const sessionKeyFile = join(folder, 'session.key');
  const key = await loadOrCreateSigningKey(sessionKeyFile, 'P-256');
  const sessions = new Sessions(key, APPVIEW_DID);
  const password = randomBytes(24).toString('base64url');
  const open = async (name: string): Promise<Scene> => {
    await postgres.createDatabase(name);
    const databaseUrl = postgres.url(name);
    await migrate(databaseUrl);
    const client = new Client(databaseUrl);
    await client.connect();
    opened.defer(() => client.end());
    if (options.withoutRowSecurity) await openTables(client);
    const config = readConfig({
      LOG_LEVEL: 'silent',
      DATABASE_URL: await createGatewayLogin(databaseUrl, password),
      GATEWAY_PORT: '0',
      GATEWAY_PUBLIC_URL: 'http://localhost:4000',
      GATEWAY_SESSION_KEY_FILE: sessionKeyFile,
      GATEWAY_VIEWER_COST_PER_MINUTE: String(Number.MAX_SAFE_INTEGER),
      APPVIEW_DID,
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      STRATOS_PLC_URL: 'http://localhost:1',
      STRATOS_DEV_MODE: 'true',
    });
    const { port } = opened.use(await startGateway(config));
    return { url: `http://127.0.0.1:${port}`, write: (world) => writeWorld(client, world) };
  };
  const scenes = [await open('one'), await open('other')] as const;
  const owned = opened.move();
  return {
    scenes,
    token: async (viewer) => (await sessions.issue({ viewer, boundTo: undefined })).token,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Lets the gateway read every row that it may read at all. */
async function openTables(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select distinct tablename as name from pg_policies where schemaname = 'public'`,
  );
  for (const { name } of rows) {
    await client.query(`create policy everything on ${name} for select using (true)`);
  }
}
