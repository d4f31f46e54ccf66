import { zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AEKEA, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const { status, unenroll } = zone.stratos.enrollment;

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.start({ people: [rei, kaoruko] });
  await node.enroll(rei, [SWORDSMITH, AEKEA]);
});
afterAll(() => node[Symbol.asyncDispose]());

const ownStatus = async (authorization?: string) =>
  fetch(`${node.url}/oauth/status`, {
    headers: authorization === undefined ? {} : { authorization },
  });

it('tells people their own standing, with a token for the method that tells it', async () => {
  const response = await ownStatus(await rei.authorization(status.$lxm));
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect([response.status, await response.json()]).toEqual([
    200,
    {
      did: rei.did,
      enrolled: true,
      enrolledAt: expect.stringMatching(/^\d{4}-.*Z$/),
      boundaries: [{ value: AEKEA }, { value: SWORDSMITH }],
    },
  ]);
  const stranger = await ownStatus(await kaoruko.authorization(status.$lxm));
  expect(await stranger.json()).toEqual({ did: kaoruko.did, enrolled: false });
});

it.each([
  ['no token', undefined],
  ['a token for another method', unenroll.$lxm],
])('refuses %s', async (_, lxm) => {
  const response = await ownStatus(lxm && (await rei.authorization(lxm)));
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer');
  expect(await response.json()).toMatchObject({ error: 'AuthRequired' });
});
