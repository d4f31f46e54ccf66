import { setTimeout as sleep } from 'node:timers/promises';
import { toDid } from '@stratos/protocol';
import { expect, test } from 'vitest';
import { Author } from '../testing/author.ts';
import { World } from '../testing/world.ts';

test('an account is put aside while a node makes it a member', async () => {
  await using world = await World.create();
  const rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  await world.enroll(rei);
  const joining = [
    await world.node.membership(rei, ['art']),
    world.node.commit(await rei.post('3kaaa', [world.node.boundary('art')])),
  ];
  const end = Promise.withResolvers<void>();
  const member = world.applyAll(joining, { db: world.slowDatabase(end.promise) });
  await sleep(200);
  const aside = world.firehose({ event: 'account', did: rei.did, active: false });
  await Promise.race([aside, sleep(500)]);
  end.resolve();
  await Promise.all([member, aside]);
  expect(await world.db.post.count()).toBe(1);
  expect(await world.readable()).toEqual([]);
});
