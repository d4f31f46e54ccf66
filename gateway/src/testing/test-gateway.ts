import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { type Did, toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { type GatewayConfig, readConfig } from '../config.ts';
import { startGateway } from '../service.ts';
import { People, type Person, serviceAuth } from './people.ts';
import { World } from './world.ts';

export interface TestGateway extends AsyncDisposable {
  url: string;
  did: Did;
  config: GatewayConfig;
  people: People;
  world: World;
  /** A session of the gateway for a person, by the exchange. */
  session(person: Person): Promise<string>;
}

/** A real gateway on a database of its own, and people who can sign in to it. */
export async function startTestGateway(
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  await using resources = new AsyncDisposableStack();
  const people = resources.use(await People.start());
  const database = resources.use(await createTestDatabase());
  const prisma = createPrismaClient(database.url, { poolSize: 3 });
  resources.defer(() => prisma.$disconnect());
  const folder = await mkdtemp(join(tmpdir(), 'stratos-gateway-'));
  resources.defer(() => rm(folder, { recursive: true }));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const did = toDid(`did:web:localhost%3A${port}`);
  const config = readConfig({
    LOG_LEVEL: 'silent',
    DATABASE_URL: database.gatewayUrl,
    GATEWAY_PORT: String(port),
    GATEWAY_PUBLIC_URL: url,
    APPVIEW_DID: did,
    APPVIEW_KEY_FILE: join(folder, 'appview.key'),
    STRATOS_PLC_URL: people.directoryUrl,
    STRATOS_DEV_MODE: 'true',
    GATEWAY_VIEWER_COST_PER_MINUTE: '1000000000',
    GATEWAY_STRANGER_REQUESTS_PER_MINUTE: '1000000',
    ...environment,
  });
  resources.use(await startGateway(config));
  const owned = resources.move();
  return {
    url,
    did,
    config,
    people,
    world: new World(prisma),
    session: (person) => exchange(url, did, person),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function exchange(url: string, did: Did, person: Person): Promise<string> {
  const { $nsid } = zone.stratos.gateway.createSession;
  const token = await serviceAuth(person, did, $nsid);
  const response = await fetch(`${url}/xrpc/${$nsid}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`createSession: ${response.status} ${await response.text()}`);
  const { token: session } = (await response.json()) as { token: string };
  return session;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
