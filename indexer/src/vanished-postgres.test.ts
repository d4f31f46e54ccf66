import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { expect, test, vi } from 'vitest';
import { IndexerProcess } from './testing/indexer-process.ts';
import { LyingNode } from './testing/lying-node.ts';
import { PublicPds } from './testing/public-pds.ts';

const WAIT = { timeout: 60_000, interval: 100 };

/** A way to a port, on which everything can get lost: what was open then stays open, and silent. */
class Way implements AsyncDisposable {
  isLost = false;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #lost = new Set<Socket>();
  readonly #server = createServer((socket) => this.#carry(socket));

  constructor(target: number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return (this.#server.address() as AddressInfo).port;
  }

  lose(): void {
    this.isLost = true;
    for (const socket of this.#sockets) this.#lost.add(socket);
  }

  #carry(from: Socket): void {
    const to = connect(this.#target, '127.0.0.1');
    const ways = [
      [from, to],
      [to, from],
    ] as const;
    for (const [one, other] of ways) {
      this.#sockets.add(one);
      if (this.isLost) this.#lost.add(one);
      one.on('data', (bytes) => this.#lost.has(one) || other.write(bytes));
      one.on('close', () => this.#lost.has(one) || other.destroy());
      one.on('error', () => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}

test('a Postgres whose host vanishes without a word is noticed, and found again', async () => {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-indexer-'));
  opened.defer(() => rm(folder, { recursive: true }));
  const pds = opened.use(await PublicPds.start());
  const node = opened.use(await LyingNode.start());
  const { url } = opened.use(await createTestDatabase());
  const db = createPrismaClient(url, { poolSize: 1 });
  opened.defer(() => db.$disconnect());
  const through = new URL(url);
  const way = opened.use(new Way(Number(through.port)));
  through.port = String(await way.listen());
  through.hostname = '127.0.0.1';
  await db.node.create({ data: { did: node.did, endpoint: node.url } });
  const indexer = opened.use(
    await IndexerProcess.start({
      DATABASE_URL: through.href,
      APPVIEW_DID: 'did:web:localhost%3A4000',
      APPVIEW_KEY_FILE: join(folder, 'appview.key'),
      INDEXER_FIREHOSE_URL: pds.url,
      INDEXER_PORT: '0',
      STRATOS_DEV_MODE: 'true',
    }),
  );
  const ready = async () => (await indexer.get('/ready')).status;
  const leaseUntil = async () => (await db.node.findFirstOrThrow()).leaseUntil?.getTime() ?? 0;
  await vi.waitFor(async () => expect(await leaseUntil()).toBeGreaterThan(Date.now()), WAIT);
  await vi.waitFor(async () => expect(await ready()).toBe(200), WAIT);

  way.lose();
  await node.flush();
  await vi.waitFor(async () => expect(await ready()).toBe(503), WAIT);
  expect((await indexer.get('/health')).status).toBe(200);
  const before = await leaseUntil();
  way.isLost = false;
  await vi.waitFor(async () => expect(await ready()).toBe(200), WAIT);
  await vi.waitFor(async () => {
    await node.flush();
    expect(await leaseUntil()).toBeGreaterThan(before);
  }, WAIT);
  expect(indexer.isRunning).toBe(true);
}, 180_000);
