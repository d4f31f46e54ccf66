import { toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';

const REI = toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');

let world: World;
let told = 0n;

beforeEach(async () => {
  world = await World.create();
  const rei = await Author.create(REI);
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
  told = 0n;
  await news();
});
afterEach(() => world[Symbol.asyncDispose]());

/** What was announced since the last time. */
async function news(): Promise<string[]> {
  const rows = await world.db.change.findMany({
    where: { seq: { gt: told } },
    orderBy: { seq: 'asc' },
  });
  told = rows.at(-1)?.seq ?? told;
  return rows.map(({ kind, did, uri }) => `${kind} ${uri?.split('/').at(-1) ?? did}`);
}

async function account(active: boolean, status?: string): Promise<void> {
  await world.firehose({ event: 'account', did: REI, active, status });
}

test.each(['deactivated', 'takendown', 'suspended'])(
  'an account that is %s is announced, and its return',
  async (status) => {
    await account(false, status);
    expect(await news()).toEqual(['gone 3kaaa', `account ${REI}`]);
    await account(false, status);
    expect(await news()).toEqual([]);
    await account(true);
    expect(await news()).toEqual(['post 3kaaa', `account ${REI}`]);
  },
);

test('an account that is deleted is announced, and does not return with what it had', async () => {
  await account(false, 'deleted');
  expect(await news()).toEqual(['gone 3kaaa', `account ${REI}`]);
  await account(true);
  expect(await news()).toEqual([`account ${REI}`]);
  expect(await world.readable()).toEqual([]);
});

test('one who is no member anywhere is announced as well', async () => {
  const did = toDid('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb');
  await world.db.actor.create({ data: { did } });
  await world.firehose({ event: 'account', did, active: false, status: 'takendown' });
  expect(await news()).toEqual([`account ${did}`]);
});
