import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { FakePds } from '../testing/fake-pds.ts';
import { SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const collection = zone.stratos.actor.enrollment.$nsid;
const rei = TestPerson.named('rei');
const OURS = 'did:web:localhost:3100';
const OLD = 'self';
const OLDER = '3l2222222222a';

/** Puts a record on the PDS as somebody else wrote it. */
function put(pds: FakePds, rkey: string, service: string, createdAt: unknown): void {
  const uri = `at://${rei.did}/${collection}/${rkey}`;
  pds.records.set(uri, { uri, value: { service, createdAt } });
}

const rkeys = (pds: FakePds) => [...pds.records.keys()].map((uri) => uri.split('/').at(-1)).sort();
const recordOf = (pds: FakePds) => pds.records.get(`at://${rei.did}/${collection}/${OURS}`)?.value;

async function settled(node: TestNode): Promise<void> {
  await node.ctx.outbox.settled(rei.did, 10_000);
  expect(await node.ctx.service.outbox.count(rei.did)).toBe(0);
}

it('leaves one record of this node, and those of others as they are', async () => {
  await using pds = await FakePds.start();
  put(pds, OLD, 'http://localhost:3100/', '2024-01-02T03:04:05.000Z');
  put(pds, OLDER, 'http://localhost:3100', '2024-01-02T03:04:05.000Z');
  put(pds, '3l2222222223b', 'http://localhost:3200', '2024-01-02T03:04:05.000Z');
  put(pds, 'did:web:elsewhere.example', 'http://localhost:3100.example.com', 'nonsense');
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await settled(node);
  expect(rkeys(pds)).toEqual(['3l2222222223b', 'did:web:elsewhere.example', OURS]);
  expect(pds.taken.map(({ method }) => method)).toEqual([
    'putRecord',
    'deleteRecord',
    'deleteRecord',
  ]);
  expect(recordOf(pds)).toMatchObject({
    boundaries: [{ value: SWORDSMITH }],
    createdAt: '2024-01-02T03:04:05.000Z',
  });
});

it.each([
  ['2023-05-06T07:08:09.000Z', '2023-05-06T07:08:09.000Z'],
  ['yesterday', undefined],
  ['7', undefined],
  [7, undefined],
])('keeps the date that the record has on the PDS, if it is one: %j', async (before, kept) => {
  await using pds = await FakePds.start();
  put(pds, OURS, 'http://localhost:3100', before);
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await settled(node);
  const enrolledAt = (await node.ctx.service.enrollments.get(rei.did))?.enrolledAt;
  expect(recordOf(pds)?.['createdAt']).toBe(kept ?? enrolledAt);
});

it('leaves no record of somebody who left, under whatever key', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  await node.enroll(rei, [SWORDSMITH]);
  await settled(node);
  put(pds, OLD, 'http://localhost:3100', '2024-01-02T03:04:05.000Z');
  await node.operator(zone.stratos.admin.unenroll.$nsid, { did: rei.did });
  await settled(node);
  expect(rkeys(pds)).toEqual([]);
  await node.enroll(rei, [SWORDSMITH]);
  await settled(node);
  expect(rkeys(pds)).toEqual([OURS]);
});

it('waits for a PDS that cannot say what it has', async () => {
  await using pds = await FakePds.start();
  await using node = await TestNode.start({ people: [rei], findPdsSession: pds.sessions });
  const calls: string[] = [];
  pds.onCall = ({ method }) => {
    calls.push(method);
    return calls.length === 1 ? 503 : undefined;
  };
  await node.enroll(rei, [SWORDSMITH]);
  await settled(node);
  expect(calls).toEqual(['listRecords', 'listRecords', 'putRecord']);
});
