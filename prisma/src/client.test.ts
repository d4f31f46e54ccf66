import type { Did } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { createPrismaClient } from './client.ts';
import { openScope, ownMemberships } from './queries/index.ts';
import { createTestDatabase } from './testing/index.ts';

const NODE = 'did:web:node.test';
const [ALICE, BOB] = ['did:plc:alice' as Did, 'did:plc:bob' as Did];

test.each([
  [true, 1],
  [false, 0],
])('plans are kept by the connection: %s', async (keepsPlans, kept) => {
  await using database = await createTestDatabase();
  await using client = disposed(
    createPrismaClient(database.gatewayUrl, { poolSize: 1, keepsPlans }),
  );
  for (let round = 0; round < 3; round++) await ownMemberships(client.prisma, ALICE);
  const rows = await client.prisma.$queryRaw<{ statement: string }[]>`
    select statement from pg_prepared_statements where statement like '%stratos_membership%'
      and statement not like '%pg_prepared_statements%'`;
  expect(rows).toHaveLength(kept);
});

test('a plan that is kept shows each viewer their own, and nobody nothing', async () => {
  await using database = await createTestDatabase();
  await using owner = disposed(createPrismaClient(database.url, { poolSize: 1 }));
  await owner.prisma.node.create({ data: { did: NODE, endpoint: 'https://node.test' } });
  for (const did of [ALICE, BOB]) {
    const [signingKey, issuedAt] = ['did:key:z', new Date()];
    await owner.prisma.membership.create({
      data: { did, nodeDid: NODE, active: true, seq: 1n, signingKey, issuedAt },
    });
  }
  await using gateway = disposed(
    createPrismaClient(database.gatewayUrl, { poolSize: 1, keepsPlans: true }),
  );
  const seenBy = (viewer: Did) =>
    gateway.prisma.$transaction(async (transaction) => {
      await openScope(transaction, viewer);
      return transaction.$queryRaw`select did from stratos_membership`;
    });
  for (let round = 0; round < 7; round++) {
    for (const did of [ALICE, BOB]) expect(await seenBy(did)).toEqual([{ did }]);
    expect(await gateway.prisma.$queryRaw`select did from stratos_membership`).toEqual([]);
  }
});

function disposed(prisma: ReturnType<typeof createPrismaClient>) {
  return { prisma, [Symbol.asyncDispose]: () => prisma.$disconnect() };
}
