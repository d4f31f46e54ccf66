import { toBoundary } from '@stratos/protocol';
import { expect, it } from 'vitest';
import { AEKEA, NODE_DID, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';
import { mayRead, viewerOf } from './viewer.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

it('leaves a record without boundaries to its owner', () => {
  const boundaries = new Set([SWORDSMITH]);
  const viewer = { did: sakura.did, boundaries, isAppView: false };
  expect(mayRead(viewer, rei.did, [])).toBe(false);
  expect(mayRead({ ...viewer, did: rei.did }, rei.did, [])).toBe(true);
  expect(mayRead({ ...viewer, did: undefined }, rei.did, [SWORDSMITH])).toBe(false);
  expect(mayRead(viewer, rei.did, [AEKEA])).toBe(false);
  expect(mayRead(viewer, rei.did, [AEKEA, SWORDSMITH])).toBe(true);
});

it('does not count memberships of boundaries that the node no longer keeps', async () => {
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH, toBoundary(`${NODE_DID}/closed`)]);
  expect([...(await viewerOf(node.ctx, rei.did)).boundaries]).toEqual([SWORDSMITH]);
});
