import assert from 'node:assert/strict';
import { enrollmentRkey, isDidKey } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import { isAttested } from '../world/attested.ts';

const { status } = zone.stratos.enrollment;
type Output = zone.stratos.enrollment.status.$OutputBody;
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';

/** Who is enrolled. */
export const enrollmentStatus = new CheckGroup('enrollment-status');

enrollmentStatus.add('somebody unknown is not enrolled', async ({ node }) => {
  const body = (await node.call(status, { params: { did: NOBODY } })).ok<Output>();
  assert.equal(body.did, NOBODY);
  assert.equal(body.enrolled, false);
});

enrollmentStatus.add('of somebody unknown nothing more is told', async ({ node }) => {
  const { json } = await node.call(status, { params: { did: NOBODY } });
  const { did: _, enrolled: __, active: ___, ...more } = json;
  assert.deepEqual(more, {});
});

enrollmentStatus.add('a DID is needed', async ({ node }) => {
  (await node.call(status)).refused(400, 'InvalidRequest');
});

enrollmentStatus.add('what is not a DID is refused', async ({ node }) => {
  for (const did of ['nobody', 'did:', 'did:plc:', 'https://example.com', 'alice.test', '']) {
    (await node.call(status, { params: { did } })).refused(400, 'InvalidRequest');
  }
});

enrollmentStatus.add('a false claim of who is asking is refused, not ignored', async ({ node }) => {
  const answer = await node.call(status, {
    params: { did: NOBODY },
    authorization: 'Bearer nonsense',
  });
  answer.refused(401, 'AuthRequired');
});

enrollmentStatus.add(
  'strangers are told that and since when',
  ['people'],
  async ({ node, people }) => {
    const { json } = await node.call(status, { params: { did: people.author.did } });
    const { enrolledAt, active: _, ...rest } = json;
    assert.deepEqual(rest, { did: people.author.did, enrolled: true });
    assert.ok(Date.parse(String(enrolledAt)) < Date.now() + 60_000);
  },
);

enrollmentStatus.add('strangers are told neither boundaries nor key', ['people'], async (world) => {
  const { node, people } = world;
  const { json } = await node.call(status, { params: { did: people.author.did } });
  const told = Object.keys(json).sort();
  assert.ok(
    told.every((key) => ['active', 'did', 'enrolled', 'enrolledAt'].includes(key)),
    told.join(),
  );
});

enrollmentStatus.add('another member is told what strangers are', ['people'], async (world) => {
  const { node, people } = world;
  const did = people.author.did;
  assertSame(
    await people.member.query(status, { did }),
    await node.call(status, { params: { did } }),
  );
});

enrollmentStatus.add('the person is told boundaries, of this node', ['people'], async (world) => {
  const { boundaries = [] } = await world.people.author.status();
  assert.ok(boundaries.some(({ value }) => value === world.people.shared));
  for (const { value } of boundaries) assert.ok(value.startsWith(`${world.node.did}/`));
});

enrollmentStatus.add(
  'the person is told the key of their repo, a P-256 key',
  ['people'],
  async (world) => {
    const { signingKey = '' } = await world.people.author.status();
    assert.ok(isDidKey(signingKey) && signingKey.startsWith('did:key:zDn'), signingKey);
  },
);

enrollmentStatus.add(
  'the person is told the key of the record on their PDS',
  ['people'],
  async (world) => {
    const { enrollmentRkey: rkey } = await world.people.author.status();
    assert.equal(rkey, enrollmentRkey(world.node.did));
  },
);

enrollmentStatus.add(
  'the attestation holds by the DID document of the node',
  ['people'],
  async (world) => {
    const own = await world.people.author.status();
    assert.equal(own.attestation?.sig.length, 64);
    assert.ok(isAttested(own, own, world.node.keys), 'it does not hold');
  },
);

enrollmentStatus.add(
  'a named AppView is told what the person is',
  ['people', 'appView'],
  async (world) => {
    const { did } = world.people.author;
    const own = await world.people.author.status();
    const told = (await world.appView.query(status, { did })).ok<Output>();
    assert.deepEqual(told.boundaries, own.boundaries);
    assert.equal(told.signingKey, own.signingKey);
  },
);

enrollmentStatus.add('an attestation of somebody else does not hold', ['people'], async (world) => {
  const own = await world.people.author.status();
  const other = await world.people.member.status();
  assert.equal(isAttested(other, own, world.node.keys), false);
});
