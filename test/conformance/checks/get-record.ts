import assert from 'node:assert/strict';
import { encodeRecord } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import { addressOf } from '../world/person.ts';

const { getRecord } = com.atproto.repo;
const ABSENT = '3jzfcijpj2zzx';

/** com.atproto.repo.getRecord. */
export const getRecords = new CheckGroup('get-record', ['people']);

getRecords.add('shows a record to its author', async ({ people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const { json } = await people.author.read(uri);
  assert.equal(json['uri'], uri);
  assert.equal(json['cid'], cid);
});

getRecords.add('shows a record to whoever shares a boundary of it', async ({ people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const { json } = await people.member.read(uri);
  assert.equal(json['cid'], cid);
});

getRecords.add('answers a value that hashes to the CID', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const { cid, value } = (await people.member.read(uri)).ok<{ cid: string; value: never }>();
  assert.equal((await encodeRecord(value)).cid, cid);
});

getRecords.add('hides a record from outsiders, as one that does not exist', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const hidden = await people.outsider.read(uri);
  const absent = await people.outsider.read(uri.replace(/[^/]+$/, ABSENT));
  hidden.refused(404, 'RecordNotFound');
  assertSame(hidden, absent);
});

getRecords.add('hides a record from strangers, as one that does not exist', async (world) => {
  const { author, shared } = world.people;
  const { uri } = await author.post([shared]);
  const params = addressOf(uri);
  const hidden = await world.node.call(getRecord, { params });
  const absent = await world.node.call(getRecord, { params: { ...params, rkey: ABSENT } });
  hidden.refused(404, 'RecordNotFound');
  assertSame(hidden, absent);
});

getRecords.add('answers of a repo that does not exist as of a hidden record', async (world) => {
  const { author, outsider, shared } = world.people;
  const { uri } = await author.post([shared]);
  const nobody = uri.replace(author.did, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
  assertSame(await outsider.read(uri), await outsider.read(nobody));
});

getRecords.add('answers of a deleted record as of one that never was', async ({ people }) => {
  const { author, member, shared } = people;
  const { uri, rkey } = await author.post([shared]);
  (await author.delete(rkey)).ok();
  for (const viewer of [author, member]) {
    assertSame(await viewer.read(uri), await viewer.read(uri.replace(/[^/]+$/, ABSENT)));
  }
});

getRecords.add(
  'answers with another cid as of a record that does not exist',
  async ({ people }) => {
    const { author, shared } = people;
    const { uri } = await author.post([shared]);
    const { cid } = await author.post([shared], 'Another');
    const params = addressOf(uri);
    const other = await author.query(getRecord, { ...params, cid });
    assertSame(other, await author.query(getRecord, { ...params, rkey: ABSENT }));
  },
);

getRecords.add('answers with the right cid the record', async ({ people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const answer = await people.member.query(getRecord, { ...addressOf(uri), cid });
  assert.equal(answer.json['cid'], cid);
});

getRecords.add('refuses a false claim of who is asking', async ({ node, people }) => {
  const { uri } = await people.author.post([people.shared]);
  const params = addressOf(uri);
  const answer = await node.call(getRecord, { params, authorization: 'Bearer nonsense' });
  answer.refused(401, 'AuthRequired');
});

getRecords.add('needs repo, collection and key', async ({ node }) => {
  (await node.call(getRecord)).refused(400, 'InvalidRequest');
});

getRecords.add(
  'forgets a member the moment that the boundary is taken',
  ['operator'],
  async (world) => {
    const { author, member, shared } = world.people;
    const { uri } = await author.post([shared]);
    assert.equal((await member.read(uri)).status, 200);
    await world.withBoundaries(member, []);
    (await member.read(uri)).refused(404, 'RecordNotFound');
  },
);

getRecords.add('may not be kept by caches, and depends on who asks', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  for (const viewer of [people.author, people.outsider]) {
    const { headers } = await viewer.read(uri);
    assert.match(headers.get('cache-control') ?? '', /no-store/);
    assert.match(headers.get('vary') ?? '', /authorization/i);
    assert.equal(headers.get('etag'), null);
  }
});
