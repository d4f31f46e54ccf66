import { signingKeysOf, verifyMembershipLog } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { PdsError } from '../outbox/pds-repo.ts';
import { FakePds } from '../testing/fake-pds.ts';
import {
  ADMIN_PASSWORD,
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { checkExportedLog, ExportError } from './exported-log.ts';

const { listEnrollments, getMembershipLog, listOutbox, requeueOutbox } = zone.stratos.admin;
const resolveEnrollments = zone.stratos.identity.resolveEnrollments.$nsid;
const people = ['rei', 'sakura', 'kaoruko', 'haruki', 'mika'].map((name) => TestPerson.named(name));
const [rei, sakura, , , mika] = people as [
  TestPerson,
  TestPerson,
  TestPerson,
  TestPerson,
  TestPerson,
];

async function outcome(response: Response): Promise<unknown> {
  const { error } = await response.json();
  return [response.status, error];
}

/** All items of a paged query, and how many there were in each page. */
async function pages(node: TestNode, nsid: string, key: string, limit: number) {
  const items = [];
  const sizes = [];
  let cursor: string | number | undefined;
  do {
    const params = { limit: String(limit), ...(cursor !== undefined && { cursor: `${cursor}` }) };
    const page = await (await node.operatorQuery(nsid, params)).json();
    items.push(...page[key]);
    sizes.push(page[key].length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { items, sizes };
}

it('tells the boundaries of a person to them and to named AppViews alone', async () => {
  await using node = await TestNode.start({ people });
  await node.enroll(rei, [SWORDSMITH]);
  const params = { did: rei.did };
  for (const privy of [rei, node.appView]) {
    const answer = await node.query(privy, resolveEnrollments, params);
    expect(await answer.json()).toEqual({ ...params, enrolled: true, boundaries: [SWORDSMITH] });
  }
  for (const other of [await sakura.authorization(resolveEnrollments), undefined]) {
    const answer = await node.get(resolveEnrollments, params, other);
    expect(await outcome(answer)).toEqual([401, 'AuthRequired']);
  }
  await node.procedure(rei, zone.stratos.enrollment.unenroll.$nsid, {});
  const absent = { enrolled: false, boundaries: [] };
  for (const { did } of [rei, mika]) {
    const answer = await node.query(node.appView, resolveEnrollments, { did });
    expect(await answer.json()).toEqual({ did, ...absent });
  }
});

it('lists everybody who is or was enrolled to the operator, page by page', async () => {
  await using node = await TestNode.start({ people });
  for (const person of people) await node.enroll(person, [SWORDSMITH, AEKEA]);
  await node.operator(zone.stratos.admin.unenroll.$nsid, { did: sakura.did });
  const { items, sizes } = await pages(node, listEnrollments.$nsid, 'enrollments', 2);
  expect(sizes).toEqual([2, 2, 1]);
  expect(items.map(({ did }) => did)).toEqual(people.map(({ did }) => did).sort());
  for (const { did, active, boundaries } of items) {
    const left = did === sakura.did;
    expect([active, boundaries]).toEqual([!left, left ? [] : [AEKEA, SWORDSMITH]]);
  }
  expect((await pages(node, listEnrollments.$nsid, 'enrollments', 5)).sizes).toEqual([5]);
});

it('has an empty list for a node without people', async () => {
  await using node = await TestNode.start();
  expect(await (await node.operatorQuery(listEnrollments.$nsid, {})).json()).toEqual({
    enrollments: [],
  });
});

it('exports its membership log, which holds without the node', async () => {
  await using node = await TestNode.start({ people });
  for (const person of people) await node.enroll(person, [SWORDSMITH]);
  await node.operator(zone.stratos.admin.unenroll.$nsid, { did: rei.did });
  const { items, sizes } = await pages(node, getMembershipLog.$nsid, 'entries', 4);
  expect(sizes).toEqual([4, 2]);
  const document = await (await fetch(`${node.url}/.well-known/did.json`)).json();
  const log = items.map(({ entry }) => Buffer.from(entry.$bytes, 'base64'));
  const { head, standings } = await verifyMembershipLog(log, {
    service: NODE_DID,
    keys: signingKeysOf(document),
  });
  expect(head).toEqual({ seq: 6, cid: items[5]?.cid });
  expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(standings.get(rei.did)).toMatchObject({ active: false, boundaries: [] });
  expect(standings.get(sakura.did)).toMatchObject({ active: true, boundaries: [SWORDSMITH] });
});

it('has a log that can be fetched and checked at once, by the operator', async () => {
  await using node = await TestNode.start({ people });
  const nobody = { service: NODE_DID, head: undefined, standings: new Map() };
  expect(await checkExportedLog(node.url, ADMIN_PASSWORD)).toEqual(nobody);
  for (const person of people) await node.enroll(person, [SWORDSMITH]);
  const { head, standings } = await checkExportedLog(node.url, ADMIN_PASSWORD);
  expect(head).toEqual(await node.ctx.service.memberships.head());
  expect(standings.size).toBe(people.length);
  await expect(checkExportedLog(node.url, 'wrong')).rejects.toThrow(ExportError);
});

it('gives the membership log to named AppViews too, who are not counted as failed operators', async () => {
  await using node = await TestNode.start({ people });
  await node.enroll(rei, [SWORDSMITH]);
  for (let i = 0; i < 7; i += 1) {
    const answer = await node.query(node.appView, getMembershipLog.$nsid, {});
    expect((await answer.json()).entries).toHaveLength(1);
  }
  for (const authorization of [undefined, await rei.authorization(getMembershipLog.$nsid)]) {
    const answer = await node.get(getMembershipLog.$nsid, {}, authorization);
    expect(await outcome(answer)).toEqual([401, 'AuthRequired']);
  }
});

it.each([listEnrollments.$nsid, listOutbox.$nsid])('keeps %s for the operator', async (nsid) => {
  await using node = await TestNode.start({ people });
  for (const person of [rei, node.appView]) {
    expect(await outcome(await node.query(person, nsid, {}))).toEqual([401, 'AuthRequired']);
  }
});

it('lists what waits for a PDS, and tries it again when the operator says so', async () => {
  await using pds = await FakePds.start();
  let isLost = true;
  await using node = await TestNode.start({
    people,
    findPdsSession: async (did) => {
      if (isLost) throw new PdsError('the OAuth session is lost', { isTransient: false });
      return pds.sessions(did);
    },
  });
  for (const person of [rei, sakura]) {
    await node.enroll(person, [SWORDSMITH]);
    await node.createPost(person, postRecord('nobody else’s business'));
    await node.ctx.outbox.settled(person.did, 10_000);
  }
  const { items, sizes } = await pages(node, listOutbox.$nsid, 'jobs', 3);
  expect(sizes).toEqual([3, 1]);
  const parkedReason = 'the OAuth session is lost';
  expect(items).toMatchObject([
    { did: rei.did, kind: 'enrollment', attempts: 0, parkedReason },
    { did: rei.did, kind: 'stub' },
    { did: sakura.did, kind: 'enrollment', parkedReason },
    { did: sakura.did, kind: 'stub' },
  ]);
  expect(Object.keys(items[1]).sort()).toEqual(['attempts', 'did', 'dueAt', 'id', 'kind']);
  const filtered = async (params: Record<string, string>) =>
    (await (await node.operatorQuery(listOutbox.$nsid, params)).json()).jobs.map(
      ({ id }: { id: number }) => id,
    );
  expect(await filtered({ did: rei.did })).toEqual([items[0].id, items[1].id]);
  expect(await filtered({ parked: 'true' })).toEqual([items[0].id, items[2].id]);
  expect(await outcome(await node.operatorQuery(listOutbox.$nsid, { cursor: 'x' }))).toEqual([
    400,
    'InvalidRequest',
  ]);

  isLost = false;
  const one = await node.operator(requeueOutbox.$nsid, { did: rei.did });
  expect(await one.json()).toEqual({ requeued: 1 });
  await node.ctx.outbox.settled(rei.did, 10_000);
  expect(pds.taken.map(({ repo }) => repo)).toEqual([rei.did, rei.did]);
  expect(await (await node.operator(requeueOutbox.$nsid, {})).json()).toEqual({ requeued: 1 });
  await node.ctx.outbox.settled(sakura.did, 10_000);
  expect(await filtered({})).toEqual([]);
  expect((await node.procedure(rei, requeueOutbox.$nsid, {})).status).toBe(401);
  expect(await node.ctx.service.audit.newest(3)).toMatchObject([
    { action: requeueOutbox.$nsid, outcome: 'refused' },
    { action: requeueOutbox.$nsid, detail: '1', outcome: 'done' },
    { action: requeueOutbox.$nsid, did: rei.did, detail: '1', outcome: 'done' },
  ]);
});
