import { createPrismaClient } from '@stratos/prisma';
import { createTestDatabase } from '@stratos/prisma/testing';
import { expect, test } from 'vitest';
import { isShortage, isUnstorable } from './database.ts';

test('tells values that the database refuses from a database that is not there', async () => {
  await using database = await createTestDatabase();
  const db = createPrismaClient(database.url, { poolSize: 1 });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );
  const did = 'did:web:node.example';
  await db.node.create({ data: { did, endpoint: 'https://node.example' } });

  expect(
    isUnstorable(await failure(db.$executeRaw`update stratos_node set stream_cursor = -1`)),
  ).toBe(true);
  expect(
    isUnstorable(await failure(db.node.update({ where: { did }, data: { streamCursor: -1 } }))),
  ).toBe(true);
  expect(
    isUnstorable(await failure(db.node.update({ where: { did }, data: { endpoint: 'a\0' } }))),
  ).toBe(true);
  expect(isUnstorable(await failure(db.$executeRaw`select ${'a\0'}`))).toBe(true);
  expect(isUnstorable(await failure(db.$queryRaw`select missing`))).toBe(false);
  const full = await failure(
    db.$executeRaw`do $$ begin raise exception 'full' using errcode = '53100'; end $$`,
  );
  expect([isShortage(full), isUnstorable(full)]).toEqual([true, false]);
  expect(isShortage(await failure(db.$queryRaw`select missing`))).toBe(false);
  await db.$disconnect();

  const nowhere = createPrismaClient('postgresql://stratos:x@127.0.0.1:1/none', { poolSize: 1 });
  expect(isUnstorable(await failure(nowhere.node.findMany()))).toBe(false);
  await nowhere.$disconnect();
});
