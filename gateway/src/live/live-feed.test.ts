import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { createPrismaClient, ReadPool } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { createPostHydrator } from '../hydration/posts.ts';
import { createLogger } from '../logger.ts';
import { World } from '../testing/world.ts';
import { LIVE_LIMITS } from './limits.ts';
import { LiveFeed, type Opening } from './live-feed.ts';

const node = toDid('did:web:node.test');
const viewer = toDid('did:plc:viewer');
const boundary = qualifyBoundary(node, 'open');

/** A connection that cannot be listened to. */
class Unheard extends Socket {
  override once(): this {
    throw new Error('unheard');
  }
}

test('keeps nothing of a stream that could not be opened', async () => {
  await using database = await createTestDatabase();
  await using resources = new AsyncDisposableStack();
  const prisma = createPrismaClient(database.url, { poolSize: 1 });
  resources.defer(() => prisma.$disconnect());
  const reads = resources.use(new ReadPool(database.gatewayUrl, { poolSize: 2 }));
  const logger = createLogger('silent');
  const live = resources.use(
    await LiveFeed.start({
      reads,
      requests: reads,
      databaseUrl: database.gatewayUrl,
      hydrate: createPostHydrator({ logger, counter: { refused: 0 } }),
      cursorKey: randomBytes(32),
      limits: { ...LIVE_LIMITS, streamsPerViewer: 1 },
      logger,
    }),
  );
  const world = new World(prisma);
  await world.node(node);
  await world.member(viewer, node, [boundary]);
  const opening: Omit<Opening, 'connection'> = {
    viewer,
    endsAt: new Date(Date.now() + 60_000),
    operations: () => {
      throw new Error('nothing is asked');
    },
  };

  await expect(live.open({ ...opening, connection: new Unheard() })).rejects.toThrow('unheard');
  expect(live.streams).toBe(0);

  // Of which nobody is told: whoever still held what was read before would not find out.
  await prisma.membershipBoundary.deleteMany({ where: { did: viewer } });
  using stream = await live.open({ ...opening, connection: new Socket() });
  const [opened] = (await stream.take()) ?? [];
  expect(opened?.event.event).toEqual({ type: 'opened', boundaries: [] });
});
