import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { postRecord } from '../world/person.ts';

const { applyWrites } = com.atproto.repo;
const { getLatestCommit } = com.atproto.sync;
const collection = zone.stratos.feed.post.$nsid;
type Output = com.atproto.repo.applyWrites.$OutputBody;

/** com.atproto.repo.applyWrites. */
export const applyManyWrites = new CheckGroup('apply-writes', ['people']);

function create(text: string, boundary: string, more: Record<string, unknown> = {}) {
  const value = postRecord(text, [boundary]);
  return { $type: applyWrites.create.$type, collection, value, ...more };
}

applyManyWrites.add('carries out all of it as one commit', async ({ people }) => {
  const { author, shared } = people;
  const { commit, results } = (
    await author.apply([create('a', shared), create('b', shared), create('c', shared)])
  ).ok<Output>();
  assert.equal(results?.length, 3);
  const latest = (await author.query(getLatestCommit, { did: author.did })).ok<{ cid: string }>();
  assert.equal(latest.cid, commit?.cid);
});

applyManyWrites.add('answers typed results, in the order of the writes', async ({ people }) => {
  const { author, shared } = people;
  const rkey = '3jzfcijpj2z2e';
  (await author.apply([create('old', shared, { rkey })])).ok();
  const { rkey: gone } = await author.post([shared]);
  const value = postRecord('new', [shared]);
  const { results } = (
    await author.apply([
      { $type: applyWrites.update.$type, collection, rkey, value },
      { $type: applyWrites.delete.$type, collection, rkey: gone },
      create('last', shared),
    ])
  ).ok<Output>();
  assert.deepEqual(
    results?.map(({ $type }) => $type),
    [
      applyWrites.updateResult.$type,
      applyWrites.deleteResult.$type,
      applyWrites.createResult.$type,
    ],
  );
});

applyManyWrites.add('takes the older shape of writes', async ({ people }) => {
  const { author, shared } = people;
  const rkey = '3jzfcijpj2z2f';
  const record = postRecord('older', [shared]);
  const { results } = (
    await author.apply([{ action: 'create', collection, rkey, record }])
  ).ok<Output>();
  assert.equal(results?.length, 1);
  (await author.apply([{ action: 'delete', collection, rkey }])).ok();
});

applyManyWrites.add('carries out nothing if one of them is refused', async ({ people }) => {
  const { author, shared } = people;
  const rkey = '3jzfcijpj2z2g';
  const before = (await author.query(getLatestCommit, { did: author.did })).ok();
  const bad = { $type: applyWrites.create.$type, collection, value: postRecord('bad', []) };
  (await author.apply([create('good', shared, { rkey }), bad])).refused(400, 'InvalidRecord');
  (await author.read(`at://${author.did}/${collection}/${rkey}`)).refused(404, 'RecordNotFound');
  assert.deepEqual((await author.query(getLatestCommit, { did: author.did })).ok(), before);
});

applyManyWrites.add('refuses two writes about the same record', async ({ people }) => {
  const { author, shared } = people;
  const rkey = '3jzfcijpj2z2h';
  const twice = [create('a', shared, { rkey }), create('b', shared, { rkey })];
  (await author.apply(twice)).refused(400, 'InvalidRequest');
});

applyManyWrites.add('refuses an update of what is not there', async ({ people }) => {
  const { author, shared } = people;
  const value = postRecord('new', [shared]);
  const update = { $type: applyWrites.update.$type, collection, rkey: '3jzfcijpj2zzy', value };
  (await author.apply([update])).refused(400, 'InvalidRequest', 'RecordNotFound');
});

applyManyWrites.add('refuses an empty list, and one of more than 200', async ({ people }) => {
  const { author, shared } = people;
  (await author.apply([])).refused(400, 'InvalidRequest');
  const many = Array.from({ length: 201 }, () => create('x', shared));
  (await author.apply(many)).refused(400, 'InvalidRequest');
});

applyManyWrites.add('takes 200 writes as one commit', async ({ people }) => {
  const { author, shared } = people;
  const many = Array.from({ length: 200 }, (_, i) => create(String(i), shared));
  const { results = [] } = (await author.apply(many)).ok<Output>();
  assert.equal(results.length, 200);
});

applyManyWrites.add('refuses a write of a kind that there is not', async ({ people }) => {
  const strange = { $type: `${applyWrites.$nsid}#destroy`, collection, rkey: 'x' };
  (await people.author.apply([strange])).refused(400, 'InvalidRequest');
});

applyManyWrites.add('refuses a swapCommit that is not the newest commit', async ({ people }) => {
  const { author, shared } = people;
  const { commit } = await author.post([shared]);
  await author.post([shared]);
  const answer = await author.apply([create('late', shared)], { swapCommit: commit.cid });
  answer.refused(409, 'InvalidSwap');
});

applyManyWrites.add('refuses the repo of somebody else', async ({ people }) => {
  const { author, member, shared } = people;
  const body = { repo: member.did, writes: [create('not mine', shared)] };
  (await author.procedure(applyWrites, body)).refused(401, 'AuthRequired');
});
