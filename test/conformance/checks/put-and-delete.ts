import assert from 'node:assert/strict';
import { com } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { postRecord, written } from '../world/person.ts';

const { getLatestCommit } = com.atproto.sync;
const KEY = '3jzfcijpj2z2d';

/** com.atproto.repo.putRecord. */
export const putRecords = new CheckGroup('put-record', ['people']);

putRecords.add('makes a record where there is none', async ({ people }) => {
  const { uri } = written(await people.author.put(KEY, postRecord('New', [people.shared])));
  assert.equal((await people.author.read(uri)).status, 200);
});

putRecords.add('replaces a record, whose old content is gone', async ({ people }) => {
  const first = written(await people.author.put(KEY, postRecord('Old', [people.shared])));
  const second = written(await people.author.put(KEY, postRecord('New', [people.shared])));
  assert.notEqual(second.cid, first.cid);
  const { json } = await people.author.read(first.uri);
  assert.equal(json['cid'], second.cid);
  const { getRecord } = com.atproto.repo;
  const { author } = people;
  const params = { repo: author.did, collection: first.uri.split('/')[3] ?? '', rkey: KEY };
  (await author.query(getRecord, { ...params, cid: first.cid })).refused(404, 'RecordNotFound');
});

putRecords.add('asked for what is there already, makes no commit', async ({ people }) => {
  const { author, shared } = people;
  const record = postRecord('Same', [shared]);
  const first = written(await author.put(KEY, record));
  const again = written(await author.put(KEY, record));
  assert.deepEqual(again, first);
  const { cid } = (await author.query(getLatestCommit, { did: author.did })).ok<{ cid: string }>();
  assert.equal(cid, first.commit.cid);
});

putRecords.add('refuses a swapRecord that is not what is there', async ({ people }) => {
  const { author, shared } = people;
  const first = written(await author.put(KEY, postRecord('One', [shared])));
  written(await author.put(KEY, postRecord('Two', [shared])));
  const late = await author.put(KEY, postRecord('Three', [shared]), { swapRecord: first.cid });
  late.refused(409, 'InvalidSwap');
});

putRecords.add(
  'with swapRecord null makes a record only where there is none',
  async ({ people }) => {
    const { author, shared } = people;
    written(await author.put(KEY, postRecord('One', [shared]), { swapRecord: null }));
    const again = await author.put(KEY, postRecord('Two', [shared]), { swapRecord: null });
    again.refused(409, 'InvalidSwap');
  },
);

putRecords.add('moves a record to another boundary', ['operator'], async (world) => {
  const { author, member, shared } = world.people;
  const other = world.otherBoundary;
  await world.withBoundaries(author, [shared, other]);
  const { uri } = written(await author.put(KEY, postRecord('Here', [shared])));
  assert.equal((await member.read(uri)).status, 200);
  written(await author.put(KEY, postRecord('There', [other])));
  (await member.read(uri)).refused(404, 'RecordNotFound');
});

putRecords.add(
  'refuses to move a record where its author may not write',
  async ({ people, node }) => {
    const { author, shared } = people;
    written(await author.put(KEY, postRecord('Here', [shared])));
    const elsewhere = node.domains.filter((domain) => !author.boundaries.includes(domain));
    for (const domain of elsewhere.slice(0, 1)) {
      (await author.put(KEY, postRecord('There', [domain]))).refused(403, 'ForbiddenBoundary');
    }
  },
);

/** com.atproto.repo.deleteRecord. */
export const deleteRecords = new CheckGroup('delete-record', ['people']);

deleteRecords.add('takes a record away, with a commit', async ({ people }) => {
  const { uri, rkey, commit } = await people.author.post([people.shared]);
  const { commit: after } = (await people.author.delete(rkey)).ok<{ commit: { rev: string } }>();
  assert.ok(after.rev > commit.rev);
  (await people.author.read(uri)).refused(404, 'RecordNotFound');
});

deleteRecords.add('of what is not there works, without a commit', async ({ people }) => {
  const { author } = people;
  const before = (await author.query(getLatestCommit, { did: author.did })).ok();
  (await author.delete('3jzfcijpj2zzz')).ok();
  assert.deepEqual((await author.query(getLatestCommit, { did: author.did })).ok(), before);
});

deleteRecords.add('refuses a swapRecord that is not what is there', async ({ people }) => {
  const { author, shared } = people;
  const { rkey } = await author.post([shared]);
  const { cid } = await author.post([shared], 'Another one');
  (await author.delete(rkey, { swapRecord: cid })).refused(409, 'InvalidSwap');
});

deleteRecords.add('in the repo of somebody else is refused, there or not', async ({ people }) => {
  const { author, member, shared } = people;
  const { uri, rkey } = await author.post([shared]);
  const { deleteRecord } = com.atproto.repo;
  for (const key of [rkey, '3jzfcijpj2zzz']) {
    const body = { repo: author.did, collection: uri.split('/')[3], rkey: key };
    (await member.procedure(deleteRecord, body)).refused(401, 'AuthRequired');
  }
  assert.equal((await author.read(uri)).status, 200);
});

deleteRecords.add('lets the same key be used again', async ({ people }) => {
  const { author, shared } = people;
  written(await author.put(KEY, postRecord('Before', [shared])));
  (await author.delete(KEY)).ok();
  const { uri } = written(await author.create(postRecord('After', [shared]), { rkey: KEY }));
  const { json } = await author.read(uri);
  assert.equal((json['value'] as { text: string }).text, 'After');
});
