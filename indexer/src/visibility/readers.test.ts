import type { AccountEvt } from '@atproto/sync';
import { SigningKey, toDid } from '@stratos/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';

let world: World;
let rei: Author;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function publish(): Promise<void> {
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
  expect(await world.db.post.count()).toBe(1);
}

test('nobody is published who never enrolled', async () => {
  await publish();
  expect(await world.readable()).toEqual([]);
});

test('nobody is published by a key that is not the one of the enrollment', async () => {
  await world.enroll(rei, SigningKey.generate('P-256').did());
  await publish();
  expect(await world.readable()).toEqual([]);
});

test('an enrollment that arrives later publishes what was there before', async () => {
  await publish();
  await world.enroll(rei);
  expect(await world.readable()).toEqual(['3kaaa art']);
});

test('an enrollment that is deleted hides at once, and one that comes again shows', async () => {
  await world.enroll(rei);
  await publish();
  expect(await world.readable()).toEqual(['3kaaa art']);
  await world.firehose(world.unenrollment(rei));
  expect(await world.readable()).toEqual([]);
  await world.enroll(rei);
  expect(await world.readable()).toEqual(['3kaaa art']);
});

test('an enrollment that is rewritten while its node is away still counts', async () => {
  await world.enroll(rei);
  await publish();
  world.reachable = false;
  await world.enroll(rei);
  expect(await world.readable()).toEqual(['3kaaa art']);
  await world.enroll(rei, SigningKey.generate('P-256').did());
  expect(await world.readable()).toEqual([]);
});

test('an old enrollment that is replayed brings nothing back', async () => {
  const first = await world.enrollment(rei);
  await world.firehose(first);
  await publish();
  await world.firehose(world.unenrollment(rei));
  await world.firehose(first);
  expect(await world.readable()).toEqual([]);
  expect(await world.db.enrollment.count()).toBe(0);
});

test('unenrolling at the node hides at once, and enrolling again shows', async () => {
  await world.enroll(rei);
  await publish();
  await world.apply(await world.node.membership(rei, [], { active: false }));
  expect(await world.readable()).toEqual([]);
  await world.apply(await world.node.membership(rei, ['art']));
  expect(await world.readable()).toEqual(['3kaaa art']);
});

test('a boundary taken from the author leaves old posts to those who remain', async () => {
  await world.enroll(rei);
  await publish();
  await world.apply(await world.node.membership(rei, []));
  expect(await world.readable()).toEqual(['3kaaa art']);
});

test('another key at the node hides what the enrollment does not vouch for', async () => {
  await world.enroll(rei);
  await publish();
  const signingKey = SigningKey.generate('P-256').did();
  await world.apply(await world.node.membership(rei, ['art'], { signingKey }));
  expect(await world.readable()).toEqual([]);
});

test('an account that is not in use hides at once, and shows when it comes back', async () => {
  await world.enroll(rei);
  await publish();
  const account = { event: 'account', seq: 9, time: '', did: rei.did, active: false } as const;
  await world.firehose({ ...account, status: 'deactivated' } satisfies AccountEvt);
  expect((await world.db.actor.findFirstOrThrow()).active).toBe(false);
  expect(await world.readable()).toEqual([]);
  await world.apply(world.node.commit(await rei.post('3kbbb', [world.node.boundary('art')])));
  expect(await world.readable()).toEqual([]);
  await world.firehose({ ...account, active: true } satisfies AccountEvt);
  expect(await world.readable()).toEqual(['3kaaa art', '3kbbb art']);
  await world.firehose({ ...account, status: 'deleted' } satisfies AccountEvt);
  expect(await world.readable()).toEqual([]);
  await world.firehose({ ...account, active: true } satisfies AccountEvt);
  expect(await world.readable()).toEqual([]);
});

test('enrollment and membership that arrive in the same moment never miss each other', async () => {
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])));
  for (let round = 0; round < 10; round++) {
    const leave = await world.node.membership(rei, [], { active: false });
    await Promise.all([world.apply(leave), world.firehose(world.unenrollment(rei))]);
    expect(await world.readable()).toEqual([]);
    const back = await world.node.membership(rei, ['art']);
    await Promise.all([world.apply(back), world.enroll(rei)]);
    expect(await world.readable()).toEqual(['3kaaa art']);
  }
});
