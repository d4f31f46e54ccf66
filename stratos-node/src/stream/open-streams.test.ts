import { expect, it } from 'vitest';
import { StreamClient } from '../testing/stream-client.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { OpenStreams } from './open-streams.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const tooMany = { code: 'TooManyStreams' };

it('bounds the streams of one caller and of all, and gives places back', () => {
  const streams = new OpenStreams({ perCaller: 2, inTotal: 3 });
  const first = streams.open(rei.did);
  streams.open(rei.did);
  expect(() => streams.open(rei.did)).toThrow(expect.objectContaining(tooMany));
  streams.open(sakura.did);
  expect(() => streams.open(sakura.did)).toThrow(expect.objectContaining(tooMany));
  first[Symbol.dispose]();
  streams.open(sakura.did);
  expect(streams.total).toBe(3);
});

it('answers one too many with an error, and takes it up again when another is closed', async () => {
  await using node = await TestNode.start({ people: [rei], streamLimits: { perCaller: 2 } });
  await node.enroll(rei, [SWORDSMITH]);
  const open = () => StreamClient.openRecords(node, rei, { did: rei.did });
  await using first = await open();
  await using _second = await open();
  await first.until(() => node.ctx.openStreams.total === 2);
  await using third = await open();
  await third.until(({ closed }) => closed);
  expect(third.frames.map(({ type }) => type)).toEqual(['TooManyStreams']);
  await first[Symbol.asyncDispose]();
  await first.until(() => node.ctx.openStreams.total === 1);
  await using fourth = await open();
  await fourth.until(() => node.ctx.openStreams.total === 2);
});
