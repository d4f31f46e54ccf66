import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createLogger, type Indexer, readConfig, startIndexer } from '@stratos/indexer';
import { createPrismaClient, startEmbeddedPostgres } from '@stratos/prisma';
import { type Did, loadOrCreateSigningKey, toDid } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { enroll, readConfig as readNodeConfig, startNode } from '@stratos/stratos-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Account, startThrowawayAtproto } from '../network/src/index.ts';
import { NodeAdmin } from '../network/src/node-admin.ts';
import { procedure } from '../network/src/xrpc.ts';
import { eventually } from './eventually.ts';

const PASSWORD = 'correct horse battery';

const opened = new AsyncDisposableStack();
let front: Front;
let account: Account;
let admin: NodeAdmin;
let env: Record<string, string>;
let databaseUrl: string;
let db: ReturnType<typeof createPrismaClient>;
let indexer: Indexer;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stratos-older-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'postgres');
  const postgres = opened.use(await startEmbeddedPostgres({ dataDir, port: 0, persistent: false }));
  await postgres.createDatabase('appview');
  databaseUrl = postgres.url('appview');
  const { plcUrl, pdsUrl } = opened.use(await startThrowawayAtproto());
  account = await Account.signInOrCreate(pdsUrl, { handle: 'rei.test', password: PASSWORD });

  const keyFile = join(folder, 'appview.key');
  const appView = opened.use(await startAppView(keyFile));
  front = opened.use(await Front.start());
  const node = opened.use(
    await startNode(
      readNodeConfig({
        STRATOS_SERVICE_DID: front.did,
        STRATOS_PUBLIC_URL: front.url,
        STRATOS_PORT: '0',
        STRATOS_DATA_DIR: join(folder, 'node'),
        STRATOS_ALLOWED_DOMAINS: 'art,writers',
        STRATOS_ALLOWED_APPVIEWS: appView.did,
        STRATOS_ADMIN_PASSWORD: PASSWORD,
        STRATOS_HEARTBEAT_INTERVAL_MS: '500',
        STRATOS_PLC_URL: plcUrl,
        STRATOS_DEV_MODE: 'true',
        LOG_LEVEL: 'fatal',
      }),
      {
        findPdsSession: async () => ({
          fetchHandler: (path, init) => account.pds.sessionManager.fetchHandler(path, init ?? {}),
        }),
        endPdsSession: async () => undefined,
      },
    ),
  );
  front.port = node.port;
  admin = new NodeAdmin(front.url, PASSWORD);
  await enroll(node.ctx, account.did, { pdsEndpoint: pdsUrl });
  env = {
    DATABASE_URL: databaseUrl,
    APPVIEW_DID: appView.did,
    APPVIEW_KEY_FILE: keyFile,
    INDEXER_FIREHOSE_URL: pdsUrl,
    INDEXER_PORT: '0',
    INDEXER_NAME: 'older',
    INDEXER_LEASE_SECONDS: '5',
    STRATOS_PLC_URL: plcUrl,
    STRATOS_HANDLE_RESOLVER_URL: pdsUrl,
    STRATOS_DEV_MODE: 'true',
  };
  indexer = await startIndexer(readConfig(env), createLogger('silent'));
  db = createPrismaClient(databaseUrl, { poolSize: 2 });
});
afterAll(async () => {
  await indexer?.[Symbol.asyncDispose]();
  await db?.$disconnect();
  await opened.disposeAsync();
});

const boundary = (name: string) => `${front.did}/${name}`;

async function write(text: string, names: string[]): Promise<string> {
  const node = { did: front.did, url: front.url };
  const { uri } = await account.post(node, { text, boundaries: names.map(boundary) });
  return uri;
}

async function change(method: string, body: object): Promise<void> {
  const token = await account.serviceAuth({ audience: front.did, lxm: method });
  await procedure(front.url, method, body, { authorization: `Bearer ${token}` });
}

/** What may be read, in which boundary. */
async function readable(): Promise<string[]> {
  const rows = await db.postBoundary.findMany({ include: { post: true } });
  return rows.map((row) => `${row.post.text} in ${row.boundary.split('/').at(-1)}`).sort();
}

const reads = (expected: string[]) =>
  eventually(async () => expect(await readable()).toEqual(expected), 60_000);

const stored = () => db.node.findUniqueOrThrow({ where: { did: front.did } });
const isServed = () =>
  eventually(async () =>
    expect((await stored()).leaseUntil?.getTime()).toBeGreaterThan(Date.now()),
  );

test('posts of a node without a stream of all appear, change and go with the node', async () => {
  const [first, second] = [await write('first', ['art']), await write('second', ['art'])];
  await reads(['first in art', 'second in art']);
  await isServed();
  expect((await stored()).stream).toBe('records');

  const repo = account.did;
  const collection = zone.stratos.feed.post.$nsid;
  const rkey = rkeyOf(first);
  const record = {
    ...{ $type: collection, text: 'edited', createdAt: new Date().toISOString() },
    boundary: {
      $type: zone.stratos.boundary.defs.Domains.$type,
      values: [{ value: boundary('writers') }],
    },
  };
  await change(com.atproto.repo.putRecord.$nsid, { repo, collection, rkey, record });
  await reads(['edited in writers', 'second in art']);
  await change(com.atproto.repo.deleteRecord.$nsid, { repo, collection, rkey: rkeyOf(second) });
  await reads(['edited in writers']);
});

test('who leaves a boundary has left it here after the next round', async () => {
  const held = async () => {
    const rows = await db.membershipBoundary.findMany({ where: { did: account.did } });
    return rows.map((row) => row.boundary).sort();
  };
  expect(await held()).toEqual([boundary('art'), boundary('writers')]);
  await admin.removeBoundary(account.did, boundary('art'));
  await eventually(async () => expect(await held()).toEqual([boundary('writers')]));
});

test('a node that does not answer loses its lease, and has it again when it does', async () => {
  front.isAway = true;
  await eventually(async () =>
    expect((await stored()).leaseUntil?.getTime()).toBeLessThan(Date.now()),
  );
  front.isAway = false;
  await isServed();
  expect(await readable()).toEqual(['edited in writers']);
});

test('a node that has learnt to stream all is followed so', async () => {
  front.lacksStream = false;
  await indexer[Symbol.asyncDispose]();
  await write('third', ['writers']);
  indexer = await startIndexer(readConfig(env), createLogger('silent'));
  await reads(['edited in writers', 'third in writers']);
  await isServed();
  expect(await stored()).toMatchObject({ stream: 'service' });
  expect((await stored()).membershipSeq).toBeGreaterThan(0n);
  expect(await db.quarantined.findMany()).toEqual([]);
});

function rkeyOf(uri: string): string {
  return uri.split('/').at(-1) ?? '';
}

/** What the DID of an AppView says of its key. */
async function startAppView(keyFile: string): Promise<AsyncDisposable & { did: Did }> {
  const key = await loadOrCreateSigningKey(keyFile, 'secp256k1');
  const server = createServer((_, response) => {
    const id = `${did}#atproto`;
    const publicKeyMultibase = key.did().slice('did:key:'.length);
    const method = { id, type: 'Multikey', controller: did, publicKeyMultibase };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: did, verificationMethod: [method] }));
  });
  const did = toDid(`did:web:localhost%3A${await listen(server)}`);
  return { did, [Symbol.asyncDispose]: () => close(server) };
}

/** Passes everything on to a node, but for its stream of all: as if it were an older one. */
class Front implements AsyncDisposable {
  lacksStream = true;
  /** While true, nothing is passed on. */
  isAway = false;
  /** Of the node behind. */
  port = 0;
  did!: Did;
  url!: string;
  readonly #sockets = new Set<Duplex>();
  readonly #server = createServer((incoming, response) => {
    if (this.isAway) return void response.destroy();
    const { method, url: path, headers } = incoming;
    const outgoing = send({ port: this.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });

  static async start(): Promise<Front> {
    const front = new Front();
    const port = await listen(front.#server);
    front.url = `http://localhost:${port}`;
    front.did = toDid(`did:web:localhost%3A${port}`);
    front.#server.on('upgrade', (request, socket) => front.#upgrade(request, socket));
    return front;
  }

  #upgrade({ url: path, headers }: IncomingMessage, socket: Duplex): void {
    const isOfAll = path?.includes(zone.stratos.sync.subscribeService.$nsid);
    if (this.isAway || (isOfAll && this.lacksStream)) return void socket.destroy();
    const behind = connect(this.port, '127.0.0.1');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    behind.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    behind.pipe(socket).pipe(behind);
    for (const each of [behind, socket]) {
      this.#sockets.add(each);
      each.on('error', () => each.destroy());
      each.on('close', () => {
        behind.destroy();
        socket.destroy();
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await close(this.#server);
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
