import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { type Did, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Database, inTransaction } from '../database.ts';
import { createLogger } from '../logger.ts';
import { TakenOverError } from './fence.ts';
import { claimedNodes, claimNodes, countNodes, giveBackNodes } from './node-claims.ts';
import { Presence } from './presence.ts';
import {
  claimSource,
  giveBackSource,
  hasSource,
  holdSource,
  saveSourceCursor,
} from './source-claims.ts';
import { SourceTurn } from './source-turn.ts';

const SOURCE = 'wss://relay.example';
const ALL = { allowed: [], denied: [], max: 1_000, maxMembers: 1_000 };

let opened: AsyncDisposableStack;
let db: Database;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  db = createPrismaClient(url, { poolSize: 8 });
  opened.defer(() => db.$disconnect());
});
afterEach(async () => {
  await opened.disposeAsync();
});

async function startIndexer(name?: string): Promise<Presence> {
  const presence = opened.use(new Presence(db, createLogger('silent'), name));
  await presence.start();
  return presence;
}

/** An indexer that was there and was killed, `secondsAgo` after its last word. */
async function deadIndexer(secondsAgo = 1): Promise<string> {
  const id = `dead-${Math.random()}`;
  const aliveUntil = new Date(Date.now() - secondsAgo * 1000);
  await db.follower.create({ data: { id, aliveUntil } });
  return id;
}

async function addNodes(count: number): Promise<Did[]> {
  const dids = Array.from({ length: count }, (_, i) => toDid(`did:web:node${i}.example`));
  await db.node.createMany({
    data: dids.map((did, i) => ({ did, endpoint: 'x', firstSeenAt: new Date(i) })),
  });
  return dids;
}

const didsOf = (claims: { nodeDid: Did }[]) => claims.map(({ nodeDid }) => nodeDid).sort();

describe('nodes', () => {
  test('are each taken by one of many who want them at the same time', async () => {
    const nodes = await addNodes(40);
    const indexers = await Promise.all(Array.from({ length: 5 }, () => startIndexer()));
    const claims = await Promise.all(
      indexers.map(({ id }) => claimNodes(db, id, { policy: ALL, limit: 100 })),
    );
    await vi.waitFor(async () => {
      const stored = await Promise.all(indexers.map(({ id }) => claimedNodes(db, id)));
      expect(didsOf(stored.flat())).toEqual([...nodes].sort());
    });
    expect(claims.flat().length).toBeGreaterThanOrEqual(40);
  });

  test('stay with who is alive, and are taken over from who is not', async () => {
    const [node] = await addNodes(1);
    const [first, second] = [await startIndexer(), await startIndexer()];
    const dead = await deadIndexer();
    await db.node.updateMany({ data: { follower: dead, followEpoch: 7 } });
    const claim = { policy: ALL, limit: 10 };
    expect(await claimNodes(db, first.id, claim)).toEqual([
      { nodeDid: node, fence: { follower: first.id, epoch: 8n }, membershipSeq: 0 },
    ]);
    expect(await claimNodes(db, second.id, claim)).toEqual([]);
    await giveBackNodes(db, second.id, [node as Did]);
    expect(didsOf(await claimedNodes(db, first.id))).toEqual([node]);
    await giveBackNodes(db, first.id, [node as Did]);
    expect(await claimNodes(db, second.id, claim)).toEqual([
      { nodeDid: node, fence: { follower: second.id, epoch: 9n }, membershipSeq: 0 },
    ]);
  });

  test('are not taken by who is not alive', async () => {
    await addNodes(1);
    expect(await claimNodes(db, await deadIndexer(), { policy: ALL, limit: 10 })).toEqual([]);
  });

  test('are passed over while somebody writes for them', async () => {
    const [busy, free] = await addNodes(2);
    const { id } = await startIndexer();
    await inTransaction(db, async (tx) => {
      await tx.$queryRaw`select 1 from stratos_node where did = ${busy} for no key update`;
      expect(didsOf(await claimNodes(db, id, { policy: ALL, limit: 10 }))).toEqual([free]);
    });
  });

  test('are taken over also from who stopped in the middle of writing', async () => {
    const [node] = await addNodes(1);
    const dead = await deadIndexer();
    await db.node.updateMany({ data: { follower: dead } });
    const { id } = await startIndexer();
    const [writing, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stopped = inTransaction(db, async (tx) => {
      await tx.$queryRaw`select 1 from stratos_node where did = ${node} for no key update`;
      writing.resolve();
      await taken.promise;
      await tx.node.updateMany({ data: { streamCursor: 9 } });
    });
    stopped.catch(() => {});
    await writing.promise;
    await vi.waitFor(
      async () => {
        const claims = await claimNodes(db, id, { policy: ALL, limit: 10 });
        expect(didsOf(claims)).toEqual([node]);
      },
      { timeout: 15_000, interval: 200 },
    );
    taken.resolve();
    await expect(stopped).rejects.toThrow();
    expect(await db.node.findFirst()).toMatchObject({ streamCursor: 0n });
  });

  test('are those that the operator lets be followed, the first of them', async () => {
    const nodes = await addNodes(6);
    const policy = { allowed: nodes.slice(1), denied: nodes.slice(2, 3), max: 3, maxMembers: 1 };
    const { id } = await startIndexer();
    expect(await countNodes(db, policy)).toBe(3);
    const claims = await claimNodes(db, id, { policy, limit: 10 });
    expect(didsOf(claims)).toEqual([nodes[1], nodes[3], nodes[4]]);
  });
});

describe('an indexer', () => {
  test('knows how many are alive, and leaves without a trace', async () => {
    await deadIndexer();
    await deadIndexer(7_200);
    const first = await startIndexer();
    const second = await startIndexer();
    expect([first.living, second.living]).toEqual([1, 2]);
    await second[Symbol.asyncDispose]();
    expect(await db.follower.count()).toBe(2);
  });

  test('that starts again under its name is no longer there as it was', async () => {
    const [node] = await addNodes(1);
    const first = await startIndexer('a');
    const other = await startIndexer('ab');
    await claimNodes(db, first.id, { policy: ALL, limit: 10 });
    const again = await startIndexer('a');
    expect(didsOf(await claimNodes(db, again.id, { policy: ALL, limit: 10 }))).toEqual([node]);
    expect(await db.follower.count({ where: { id: other.id } })).toBe(1);
  });
});

describe('a source', () => {
  test('is followed by one indexer at a time, from where it was left', async () => {
    const [first, second] = [await startIndexer(), await startIndexer()];
    const claims = await Promise.all([first, second].map(({ id }) => claimSource(db, id, SOURCE)));
    const held = claims.find((claim) => claim !== undefined);
    if (!held) throw new Error('nobody has it');
    expect(claims).toContain(undefined);
    await saveSourceCursor(db, { source: SOURCE, fence: held.fence, seq: 41 });
    await giveBackSource(db, SOURCE, held.fence);
    expect(await claimSource(db, second.id, SOURCE)).toEqual({
      fence: { follower: second.id, epoch: 2n },
      cursor: 41,
    });
  });

  test('is written for by nobody from whom it was taken over', async () => {
    const first = await startIndexer();
    const claim = await claimSource(db, first.id, SOURCE);
    if (!claim) throw new Error('nobody has it');
    const { fence } = claim;
    await first[Symbol.asyncDispose]();
    const second = await startIndexer();
    await claimSource(db, second.id, SOURCE);
    expect(await hasSource(db, SOURCE, fence)).toBe(false);
    await expect(inTransaction(db, (tx) => holdSource(tx, SOURCE, fence))).rejects.toThrow(
      TakenOverError,
    );
    const save = saveSourceCursor(db, { source: SOURCE, fence, seq: 99 });
    await expect(save).rejects.toThrow(TakenOverError);
    await giveBackSource(db, SOURCE, fence);
    expect(await db.syncCursor.findMany()).toMatchObject([{ seq: 0n, follower: second.id }]);
  });

  test('is not taken over in the middle of a transaction', async () => {
    const first = await startIndexer();
    const claim = await claimSource(db, first.id, SOURCE);
    if (!claim) throw new Error('nobody has it');
    const second = await startIndexer();
    let taken: Promise<unknown> | undefined;
    const order: string[] = [];
    await inTransaction(db, async (tx) => {
      await holdSource(tx, SOURCE, claim.fence);
      await db.follower.deleteMany({ where: { id: first.id } });
      taken = claimSource(db, second.id, SOURCE).then(() => order.push('taken'));
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push('written');
    });
    await taken;
    expect(order).toEqual(['written', 'taken']);
  });

  test('has its work begun by whose turn it is, and ended when that is over', async () => {
    const logger = createLogger('silent');
    const running: string[] = [];
    const turnOf = async (name: string, presence: Presence) => {
      const begin = async () => {
        running.push(name);
        return {
          [Symbol.asyncDispose]: async () => void running.splice(running.indexOf(name), 1),
        };
      };
      const turn = opened.use(new SourceTurn({ db, presence, source: SOURCE, logger, begin }));
      await turn.start();
      return turn;
    };
    const first = await turnOf('first', await startIndexer());
    const second = await turnOf('second', await startIndexer());
    expect(running).toEqual(['first']);
    expect([first.work, second.work].map((work) => work !== undefined)).toEqual([true, false]);
    await db.syncCursor.updateMany({ data: { follower: null } });
    await vi.waitFor(() => expect(running).toHaveLength(1), { timeout: 10_000 });
    await first[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(running).toEqual(['second']), { timeout: 10_000 });
  });
});
