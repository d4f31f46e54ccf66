import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');

it('finds out who is dead by pings, and leaves those alone who answer', async () => {
  await using node = await TestNode.start({ people: [rei], streamLimits: { pingEveryMs: 250 } });
  await node.enroll(rei, [SWORDSMITH]);
  const nsid = zone.stratos.sync.subscribeRecords.$nsid;
  const open = async (autoPong: boolean) =>
    StreamClient.request(node, {
      nsid,
      params: { did: rei.did },
      authorization: await rei.authorization(nsid),
      autoPong,
    });
  await using alive = await open(true);
  await using dead = await open(false);
  await dead.until(({ closed }) => closed);
  expect(dead.ending?.code).toBe(1006);
  await node.createPost(rei, postRecord('hello'));
  await alive.until(({ frames }) => frames.length === 1);
  expect(alive.closed).toBe(false);
});

it('says goodbye to everybody when the node stops, with a code that invites to come back', async () => {
  const node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  await using records = await StreamClient.openRecords(node, rei, { did: rei.did });
  await using service = await StreamClient.open(node, node.appView, 0);
  await service.until(({ frames }) => frames.length > 2);
  await records.until(() => node.ctx.openStreams.total === 2);
  await node[Symbol.asyncDispose]();
  await records.until(({ closed }) => closed);
  await service.until(({ closed }) => closed);
  expect([records.ending?.code, service.ending?.code]).toEqual([1001, 1001]);
  expect(node.ctx.openStreams.total).toBe(0);
});
