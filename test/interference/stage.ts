import { join } from 'node:path';
import { readConfig, startGateway } from '@stratos/gateway';
import { type Did, loadOrCreateSigningKey, Sessions, toDid } from '@stratos/protocol';
import { Client } from 'pg';
import { copyDatabase, type Ground, sessionKeyFile } from './ground.ts';
import { type Network, startNetwork } from './network.ts';
import type { Signer } from './signer.ts';
import type { World } from './world.ts';
import { writeWorld } from './write-world.ts';

const APPVIEW_DID = toDid('did:web:appview.test');

/** A gateway over a database of its own. */
export interface Scene {
  readonly url: string;
  readonly client: Client;
}

/** Two gateways that differ in nothing but what is in their databases. */
export interface Stage extends AsyncDisposable {
  readonly scenes: readonly [Scene, Scene];
  /** Puts a world and its twin on. */
  show(worlds: readonly [World, World], signer: Signer): Promise<void>;
  /** A session that both accept. */
  token(viewer: Did): Promise<string>;
}

/** @param name - which no other stage on this ground has */
export async function openStage(ground: Ground, name: string): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const network = opened.use(await startNetwork());
  const key = await loadOrCreateSigningKey(sessionKeyFile(ground), 'P-256');
  const sessions = new Sessions(key, APPVIEW_DID);
  const open = async (database: string): Promise<Scene> => {
    const { owner, gateway } = await copyDatabase(ground, database);
    const client = new Client(owner);
    await client.connect();
    opened.defer(() => client.end());
    const config = configOf(ground, { databaseUrl: gateway, network });
    const { port } = opened.use(await startGateway(config));
    return { url: `http://127.0.0.1:${port}`, client };
  };
  const scenes = [await open(`${name}_one`), await open(`${name}_other`)] as const;
  const owned = opened.move();
  return {
    scenes,
    async show(worlds, signer) {
      network.hold(...worlds);
      await Promise.all(
        scenes.map(({ client }, index) => writeWorld(client, worlds[index] as World, signer)),
      );
    },
    token: async (viewer) => (await sessions.issue({ viewer, boundTo: undefined })).token,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function configOf(
  ground: Ground,
  { databaseUrl, network }: { databaseUrl: string; network: Network },
) {
  return readConfig({
    LOG_LEVEL: 'silent',
    DATABASE_URL: databaseUrl,
    GATEWAY_PORT: '0',
    GATEWAY_PUBLIC_URL: 'http://localhost:4000',
    GATEWAY_SESSION_KEY_FILE: sessionKeyFile(ground),
    GATEWAY_VIEWER_COST_PER_MINUTE: String(Number.MAX_SAFE_INTEGER),
    APPVIEW_DID,
    APPVIEW_KEY_FILE: join(ground.folder, 'appview.key'),
    STRATOS_PLC_URL: network.url,
    STRATOS_DEV_MODE: 'true',
  });
}
