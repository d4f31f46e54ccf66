import assert from 'node:assert/strict';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import type { Method } from '../world/node.ts';

const { admin } = zone.stratos;
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';

const QUERIES: Record<string, Method> = {
  listEnrollments: admin.listEnrollments,
  listOutbox: admin.listOutbox,
  getMembershipLog: admin.getMembershipLog,
  getStatus: admin.getStatus,
  getAuditLog: admin.getAuditLog,
};
const PROCEDURES: Record<string, { method: Method; body: unknown }> = {
  addBoundary: { method: admin.addBoundary, body: { did: NOBODY, boundary: 'x' } },
  removeBoundary: { method: admin.removeBoundary, body: { did: NOBODY, boundary: 'x' } },
  setBoundaries: { method: admin.setBoundaries, body: { did: NOBODY, boundaries: [] } },
  unenroll: { method: admin.unenroll, body: { did: NOBODY } },
  takedown: { method: admin.takedown, body: { did: NOBODY } },
  requeueOutbox: { method: admin.requeueOutbox, body: { did: NOBODY } },
  rotateSigningKey: { method: admin.rotateSigningKey, body: {} },
};

/** What the operator may do, and nobody else. */
export const administration = new CheckGroup('admin');

// @NOTE of wrong passwords, a node takes a few in a minute: people's tokens are wrong ones as well
administration.add(
  'nothing is for callers without a password',
  ['people'],
  async ({ node, people }) => {
    const authorization = await people.author.authorization(admin.listEnrollments.$nsid);
    const answer = await node.call(admin.listEnrollments, { authorization, patient: false });
    answer.refused(401, 'AuthRequired');
  },
);

for (const [name, method] of Object.entries(QUERIES)) {
  administration.add(`${name} answers by its lexicon`, ['operator'], async ({ operator }) => {
    (await operator.query(method)).ok();
  });
}

administration.add('the password may come as Basic or as Bearer', ['operator'], async (world) => {
  for (const authorization of [world.operator.basic, world.operator.bearer]) {
    (await world.node.call(admin.listEnrollments, { authorization })).ok();
  }
});

administration.add(
  'listEnrollments goes through everybody in pages',
  ['operator', 'people'],
  async (world) => {
    const { operator, people } = world;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const answer = await operator.query(admin.listEnrollments, { limit: 2, cursor });
      const page = answer.ok<zone.stratos.admin.listEnrollments.$OutputBody>();
      seen.push(...page.enrollments.map(({ did }) => did));
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, [...new Set(seen)].sort());
    for (const { did } of [people.author, people.member]) assert.ok(seen.includes(did));
  },
);

administration.add(
  'boundaries can be given, added and taken',
  ['operator', 'people'],
  async (world) => {
    const { operator, people, otherBoundary } = world;
    const { author, shared } = people;
    const did = author.did;
    await world.withBoundaries(author, [shared]);
    const boundary = otherBoundary;
    const added = (await operator.procedure(admin.addBoundary, { did, boundary })).json;
    assert.deepEqual(added['boundaries'], [shared, boundary].sort());
    const taken = (await operator.procedure(admin.removeBoundary, { did, boundary })).json;
    assert.deepEqual(taken['boundaries'], [shared]);
    const { boundaries = [] } = await author.status();
    assert.deepEqual(
      boundaries.map(({ value }) => value),
      [shared],
    );
  },
);

administration.add(
  'a boundary may be named without the DID of the node',
  ['operator', 'people'],
  async (world) => {
    const { operator, people } = world;
    const boundary = people.shared.split('/')[1];
    const did = people.author.did;
    const { json } = await operator.procedure(admin.addBoundary, { did, boundary });
    assert.ok((json['boundaries'] as string[]).includes(people.shared));
  },
);

administration.add(
  'boundaries that the node does not keep are refused',
  ['operator', 'people'],
  async (world) => {
    const { operator, people, node } = world;
    const did = people.author.did;
    for (const boundary of [
      'no-such-boundary',
      `${node.did}/no-such-boundary`,
      'did:web:a.example/b',
    ]) {
      const answer = await operator.procedure(admin.addBoundary, { did, boundary });
      answer.refused(400, 'InvalidBoundary');
    }
  },
);

administration.add(
  'of somebody who is not enrolled nothing can be changed',
  ['operator'],
  async (world) => {
    const { operator, node } = world;
    const [boundary] = node.domains;
    const did = NOBODY;
    const answers = [
      await operator.procedure(admin.addBoundary, { did, boundary }),
      await operator.procedure(admin.setBoundaries, { did, boundaries: [boundary] }),
      await operator.procedure(admin.unenroll, { did }),
    ];
    for (const answer of answers) answer.refused(404, 'NotFound');
  },
);

administration.add(
  'what the operator did is in the audit log',
  ['operator', 'people'],
  async (world) => {
    const { operator, people } = world;
    await world.withBoundaries(people.author, people.author.boundaries);
    const answer = await operator.query(admin.getAuditLog, { limit: 20 });
    const { entries } = answer.ok<zone.stratos.admin.getAuditLog.$OutputBody>();
    assert.ok(entries.some(({ did }) => did === people.author.did));
  },
);

/** The record as anybody but the operator may find it after it was taken down: not at all. */
administration.add(
  'what is taken down is nobody’s to read, until it is put back',
  ['operator', 'people'],
  async (world) => {
    const { operator, people } = world;
    const { author, member, shared } = people;
    const { uri } = await author.post([shared]);
    world.afterwards(() => operator.procedure(admin.takedown, { uri, applied: false }));
    (await operator.procedure(admin.takedown, { uri, ref: 'conformance' })).ok();
    for (const viewer of [author, member]) (await viewer.read(uri)).refused(404, 'RecordNotFound');
    (await operator.procedure(admin.takedown, { uri, applied: false })).ok();
    for (const viewer of [author, member]) assert.equal((await viewer.read(uri)).status, 200);
  },
);

/** Must come last: what it does keeps this address out for a minute. */
export const adminGuessing = new CheckGroup('admin-guessing');

adminGuessing.add('no method of the operator is for strangers', async ({ node }) => {
  const all = [
    ...Object.values(QUERIES).map((method) => ({ method, body: undefined })),
    ...Object.values(PROCEDURES),
  ];
  for (const { method, body } of all) {
    const answer = await node.call(method, { ...(body !== undefined && { body }), patient: false });
    const errors = ['AuthRequired', 'RateLimitExceeded'];
    answer.refused(answer.status === 429 ? 429 : 401, ...errors);
  }
});

adminGuessing.add('who guesses passwords is soon told to wait', async ({ node }) => {
  const guess = async (i: number) => {
    const authorization = `Basic ${Buffer.from(`admin:guess ${i}`).toString('base64')}`;
    return node.call(admin.listEnrollments, { authorization, patient: false });
  };
  let last = await guess(0);
  for (let i = 1; i < 20 && last.status !== 429; i++) last = await guess(i);
  last.refused(429, 'RateLimitExceeded');
  assert.ok(Number(last.headers.get('retry-after')) > 0);
});
