import assert from 'node:assert/strict';
import { encodeRecord } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';

const { hydrateRecord, hydrateRecords } = zone.stratos.repo;
type Output = zone.stratos.repo.hydrateRecords.$OutputBody;
const ABSENT = '3jzfcijpj2zzw';

/** zone.stratos.repo.hydrateRecord and hydrateRecords. */
export const hydration = new CheckGroup('hydrate', ['people']);

hydration.add('shows a record to a member', async ({ people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const body = (await people.member.query(hydrateRecord, { uri })).ok<Output['records'][0]>();
  assert.deepEqual({ uri: body.uri, cid: body.cid }, { uri, cid });
  assert.equal((await encodeRecord(body.value)).cid, cid);
});

hydration.add('hides a record from outsiders, as one that does not exist', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const hidden = await people.outsider.query(hydrateRecord, { uri });
  hidden.refused(404, 'RecordNotFound');
  const absent = { uri: uri.replace(/[^/]+$/, ABSENT) };
  assertSame(hidden, await people.outsider.query(hydrateRecord, absent));
});

hydration.add('answers with another cid as of a record that does not exist', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const { cid } = await people.author.post([people.shared], 'Another');
  const other = await people.member.query(hydrateRecord, { uri, cid });
  other.refused(404, 'RecordNotFound');
});

hydration.add('needs somebody who says who they are', async ({ node, people }) => {
  const { uri } = await people.author.post([people.shared]);
  (await node.call(hydrateRecord, { params: { uri } })).refused(401, 'AuthRequired');
  (await node.call(hydrateRecords, { body: { uris: [uri] } })).refused(401, 'AuthRequired');
});

hydration.add('keeps the order that was asked for', async ({ people }) => {
  const { author, member, shared } = people;
  const uris: string[] = [];
  for (let i = 0; i < 4; i++) uris.unshift((await author.post([shared], `Post ${i}`)).uri);
  const { records } = (await member.procedure(hydrateRecords, { uris })).ok<Output>();
  assert.deepEqual(
    records.map(({ uri }) => uri),
    uris,
  );
});

hydration.add('answers twice what was asked for twice', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const uris = [uri, uri];
  const { records } = (await people.member.procedure(hydrateRecords, { uris })).ok<Output>();
  assert.deepEqual(
    records.map((record) => record.uri),
    uris,
  );
});

hydration.add(
  'lists all that it does not show in notFound, and nothing in blocked',
  async ({ people }) => {
    const { uri } = await people.author.post([people.shared]);
    const absent = uri.replace(/[^/]+$/, ABSENT);
    const uris = [absent, uri];
    const { outsider } = people;
    const body = (await outsider.procedure(hydrateRecords, { uris })).ok<Output>();
    assert.deepEqual(body, { records: [], notFound: uris, blocked: [] });
  },
);

hydration.add('answers an outsider of a hidden record as of an absent one', async ({ people }) => {
  const { uri } = await people.author.post([people.shared]);
  const absent = uri.replace(/[^/]+$/, ABSENT);
  const of = async (one: string) => {
    const { text } = await people.outsider.procedure(hydrateRecords, { uris: [one] });
    return text.replaceAll(one, 'uri');
  };
  assert.equal(await of(uri), await of(absent));
});

hydration.add('shows both what is visible and that the rest is not', async ({ people }) => {
  const { author, member, shared } = people;
  const { uri } = await author.post([shared]);
  const absent = uri.replace(/[^/]+$/, ABSENT);
  const answer = await member.procedure(hydrateRecords, { uris: [absent, uri] });
  const { records, notFound } = answer.ok<Output>();
  assert.deepEqual([records.map((record) => record.uri), notFound], [[uri], [absent]]);
});

hydration.add('takes an empty list', async ({ people }) => {
  const { records } = (await people.member.procedure(hydrateRecords, { uris: [] })).ok<Output>();
  assert.deepEqual(records, []);
});

hydration.add('refuses more than 100 addresses', async ({ people }) => {
  const uri = `at://${people.author.did}/zone.stratos.feed.post/${ABSENT}`;
  const uris = Array.from({ length: 101 }, () => uri);
  (await people.member.procedure(hydrateRecords, { uris })).refused(400, 'InvalidRequest');
});

hydration.add('refuses what is no address', async ({ people }) => {
  const answer = await people.member.procedure(hydrateRecords, { uris: ['nonsense'] });
  answer.refused(400, 'InvalidRequest');
});

hydration.add('shows a named AppView every record', ['appView'], async ({ appView, people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const { records } = (await appView.procedure(hydrateRecords, { uris: [uri] })).ok<Output>();
  assert.equal(records[0]?.cid, cid);
});
