import { enrollmentRkey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inTransaction } from '../database.ts';
import { writeFoundNode } from '../lookups/node-discovery.ts';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let world: World;
let rei: Author;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(REI);
  world.reachable = false;
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
});
afterEach(() => world[Symbol.asyncDispose]());

/** Finds the node of the enrollment, and does not come to an end before something else has begun. */
async function findNodeDuring(begin: () => Promise<unknown>): Promise<void> {
  const { did: nodeDid, url: serviceUrl } = world.node;
  const found = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const finding = inTransaction(world.db, async (tx) => {
    await writeFoundNode(tx, { did: REI, rkey: enrollmentRkey(nodeDid), serviceUrl, nodeDid });
    found.resolve();
    await end.promise;
  });
  await found.promise;
  const other = begin();
  await vi.waitFor(async () => expect(await waiting()).toBe(1), 5_000);
  end.resolve();
  await Promise.all([finding, other]);
}

async function waiting(): Promise<number> {
  const [row] = await world.db.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}

test('whose node is found is read from then on', async () => {
  const { did: nodeDid, url: serviceUrl } = world.node;
  expect(await world.readable()).toEqual([]);
  const rkey = enrollmentRkey(nodeDid);
  await inTransaction(world.db, (tx) =>
    writeFoundNode(tx, { did: REI, rkey, serviceUrl, nodeDid }),
  );
  expect(await world.readable()).toHaveLength(1);
});

test('who unenrolls while their node is being found is not read', async () => {
  await findNodeDuring(() => world.firehose(world.unenrollment(rei)));
  expect(await world.readable()).toEqual([]);
});

test('who enrolls with another key while their node is being found is not read', async () => {
  const { key } = await Author.create(REI);
  await findNodeDuring(() => world.enroll(rei, key.did()));
  expect(await world.readable()).toEqual([]);
});
