import assert from 'node:assert/strict';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';

const { resolveEnrollments } = zone.stratos.identity;
type Output = zone.stratos.identity.resolveEnrollments.$OutputBody;
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';

/** zone.stratos.identity.resolveEnrollments. */
export const enrollments = new CheckGroup('resolve-enrollments', ['people']);

enrollments.add('tells a person their boundaries', async ({ people }) => {
  const { author, shared } = people;
  const body = (await author.query(resolveEnrollments, { did: author.did })).ok<Output>();
  assert.equal(body.enrolled, true);
  assert.ok(body.boundaries.includes(shared));
});

enrollments.add('tells a named AppView', ['appView'], async ({ people, appView }) => {
  const { did } = people.author;
  assert.equal((await appView.query(resolveEnrollments, { did })).ok<Output>().enrolled, true);
});

enrollments.add(
  'tells a named AppView that somebody is not enrolled',
  ['appView'],
  async ({ appView }) => {
    const body = (await appView.query(resolveEnrollments, { did: NOBODY })).ok<Output>();
    assert.deepEqual(body, { did: NOBODY, enrolled: false, boundaries: [] });
  },
);

enrollments.add('does not tell other people, enrolled or not', async ({ people }) => {
  const { author, member } = people;
  const known = await member.query(resolveEnrollments, { did: author.did });
  known.refused(401, 'AuthRequired');
  assertSame(known, await member.query(resolveEnrollments, { did: NOBODY }));
});

enrollments.add('needs somebody who says who they are', async ({ node, people }) => {
  const answer = await node.call(resolveEnrollments, { params: { did: people.author.did } });
  answer.refused(401, 'AuthRequired');
});
