import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { ProofError } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { describeError } from './logger.ts';

test('says why something was refused', () => {
  const error = new ProofError('wrong-cid', 'bytes do not match the CID');
  expect(describeError(error)).toMatchObject({ name: 'ProofError', reason: 'wrong-cid' });
});

test('keeps to itself what a database error quotes', async () => {
  await using database = await createTestDatabase();
  const db = createPrismaClient(database.url, { poolSize: 1 });
  const error = await db.$queryRaw`select ${'a private post'}::int`.catch(
    (cause: unknown) => cause,
  );
  await db.$disconnect();
  expect(String(error)).toContain('a private post');
  expect(JSON.stringify(describeError(error))).not.toContain('private');
});
