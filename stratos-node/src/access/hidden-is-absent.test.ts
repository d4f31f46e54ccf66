import { recordUri } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AEKEA, postRecord, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const collection = zone.stratos.feed.post.$nsid;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const kaoruko = TestPerson.named('kaoruko');
const mika = TestPerson.named('mika');

let node: TestNode;
let uri: string;
let rkey: string;
let deletedRkey: string;
const NEVER = '3l2222222222a';

beforeAll(async () => {
  node = await TestNode.start({ people: [rei, sakura, kaoruko, mika] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(sakura, [SWORDSMITH]);
  await node.enroll(kaoruko, [AEKEA]);
  ({ uri } = await node.createPost(rei, postRecord('only for swordsmiths')));
  rkey = uri.split('/')[4] ?? '';
  const deleted = await node.createPost(rei, postRecord('regretted'));
  deletedRkey = deleted.uri.split('/')[4] ?? '';
  await node.deletePost(rei, deleted.uri);
});
afterAll(() => node[Symbol.asyncDispose]());

/** All that a caller can see of an answer, but for when it was given. */
async function seen(response: Response): Promise<string> {
  const headers = [...response.headers].filter(([name]) => name !== 'date').sort();
  return JSON.stringify([response.status, headers, await response.text()]);
}

type Ask = (did: string, key: string) => [nsid: string, params: Record<string, string>];
const METHODS: [name: string, request: Ask][] = [
  [
    'com.atproto.repo.getRecord',
    (did, key) => [com.atproto.repo.getRecord.$nsid, { repo: did, collection, rkey: key }],
  ],
  [
    'com.atproto.sync.getRecord',
    (did, key) => [com.atproto.sync.getRecord.$nsid, { did, collection, rkey: key }],
  ],
  [
    'zone.stratos.repo.hydrateRecord',
    (did, key) => [
      zone.stratos.repo.hydrateRecord.$nsid,
      { uri: `at://${did}/${collection}/${key}` },
    ],
  ],
];

describe.each(METHODS)('%s', (_, request) => {
  const ask = (viewer: TestPerson, did: string, key: string) =>
    node.query(viewer, ...request(did, key));

  it.each([
    ['a member of another boundary', kaoruko],
    ['somebody who is not enrolled', mika],
  ])('answers %s alike, byte for byte, for hidden, deleted and absent', async (_who, viewer) => {
    const hidden = await seen(await ask(viewer, rei.did, rkey));
    expect(hidden).toContain('[404,');
    expect(hidden).toContain('RecordNotFound');
    expect(await seen(await ask(viewer, rei.did, NEVER))).toBe(hidden);
    expect(await seen(await ask(viewer, rei.did, deletedRkey))).toBe(hidden);
    expect(await seen(await ask(viewer, mika.did, rkey))).toBe(hidden);
  });

  it('answers members and the owner', async () => {
    expect((await ask(sakura, rei.did, rkey)).status).toBe(200);
    expect((await ask(rei, rei.did, rkey)).status).toBe(200);
  });
});

describe('com.atproto.repo.getRecord', () => {
  const nsid = com.atproto.repo.getRecord.$nsid;

  it('answers somebody who does not say who they are like any stranger', async () => {
    const hidden = await seen(await node.get(nsid, { repo: rei.did, collection, rkey }));
    expect(hidden).toContain('[404,');
    expect(await seen(await node.get(nsid, { repo: rei.did, collection, rkey: NEVER }))).toBe(
      hidden,
    );
    expect(await seen(await node.query(kaoruko, nsid, { repo: rei.did, collection, rkey }))).toBe(
      hidden,
    );
  });

  it('refuses somebody who falsely says who they are', async () => {
    const response = await node.get(nsid, { repo: rei.did, collection, rkey }, 'Bearer nonsense');
    expect([response.status, (await response.json()).error]).toEqual([401, 'AuthRequired']);
  });

  it('does not let an AppView read as if it were a member', async () => {
    const response = await node.query(node.appView, nsid, { repo: rei.did, collection, rkey });
    expect(response.status).toBe(404);
  });

  it('does not find another version of the record', async () => {
    const cid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a';
    const other = await node.query(rei, nsid, { repo: rei.did, collection, rkey, cid });
    const absent = await node.query(rei, nsid, { repo: rei.did, collection, rkey: NEVER });
    expect(await seen(other)).toBe(await seen(absent));
  });
});

describe('com.atproto.repo.listRecords', () => {
  const nsid = com.atproto.repo.listRecords.$nsid;
  const empty = 'zone.stratos.feed.like';
  const ask = (viewer: TestPerson, repo: string, of = collection) =>
    node.query(viewer, nsid, { repo, collection: of });

  it.each([
    ['a member of another boundary', kaoruko],
    ['somebody who is not enrolled', mika],
  ])('answers %s alike, byte for byte, for hidden, empty and absent', async (_who, viewer) => {
    const hidden = await seen(await ask(viewer, rei.did));
    expect(hidden).toContain('[200,');
    expect(await seen(await ask(viewer, rei.did, empty))).toBe(hidden);
    expect(await seen(await ask(viewer, 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'))).toBe(hidden);
    expect(await seen(await ask(viewer, mika.did))).toBe(hidden);
    expect(await seen(await ask(viewer, 'rei.test'))).toBe(hidden);
    expect(await seen(await node.get(nsid, { repo: rei.did, collection }))).toBe(hidden);
  });

  it('answers members and the owner', async () => {
    const shared = await seen(await ask(sakura, rei.did));
    expect(shared).toContain('only for swordsmiths');
    expect(await seen(await ask(rei, rei.did))).toBe(shared);
  });
});

describe.each([
  ['com.atproto.repo.describeRepo', com.atproto.repo.describeRepo.$nsid, 'repo'],
  ['com.atproto.sync.getLatestCommit', com.atproto.sync.getLatestCommit.$nsid, 'did'],
])('%s', (_, nsid, name) => {
  const ask = (viewer: TestPerson, did: string) => node.query(viewer, nsid, { [name]: did });

  it.each([
    ['a member of the same boundary', sakura],
    ['somebody who is not enrolled', mika],
  ])('answers %s alike, byte for byte, whether there is a repo or not', async (_who, viewer) => {
    const hidden = await seen(await ask(viewer, rei.did));
    expect(hidden).toContain('[404,');
    expect(hidden).toContain('RepoNotFound');
    expect(await seen(await ask(viewer, 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'))).toBe(hidden);
    expect(await seen(await ask(node.appView, mika.did))).toBe(hidden);
    expect(await seen(await ask(mika, mika.did))).toBe(hidden);
  });

  it('answers the owner and AppViews that the operator named', async () => {
    const own = await seen(await ask(rei, rei.did));
    expect(own).toContain('[200,');
    expect(await seen(await ask(node.appView, rei.did))).toBe(own);
  });

  it('wants to know who asks', async () => {
    expect((await node.get(nsid, { [name]: rei.did })).status).toBe(401);
  });
});

describe('zone.stratos.repo.hydrateRecords', () => {
  const nsid = zone.stratos.repo.hydrateRecords.$nsid;

  it('keeps order and repetitions', async () => {
    const absent = recordUri(rei.did, collection, NEVER);
    const { uri: other } = await node.createPost(sakura, postRecord('another'));
    const uris = [other, absent, uri, other, uri, absent];
    const answer = await (await node.procedure(sakura, nsid, { uris })).json();
    const found = answer.records.map((record: { uri: string }) => record.uri);
    expect(found).toEqual([other, uri, other, uri]);
    expect(answer.notFound).toEqual([absent, absent]);
  });

  it('lists hidden, deleted and absent records alike', async () => {
    const uris = [
      uri,
      recordUri(rei.did, collection, NEVER),
      recordUri(rei.did, collection, deletedRkey),
    ];
    const answer = await (await node.procedure(kaoruko, nsid, { uris })).json();
    expect(answer).toEqual({ records: [], notFound: uris, blocked: [] });
  });

  it('is the same for one hidden and one absent record but for the address asked', async () => {
    const absentUri = recordUri(rei.did, collection, NEVER);
    const hidden = await seen(await node.procedure(kaoruko, nsid, { uris: [uri] }));
    const absent = await seen(await node.procedure(kaoruko, nsid, { uris: [absentUri] }));
    expect(absent.replaceAll(NEVER, rkey)).toBe(hidden);
  });

  it('gives named AppViews everything, in the order asked', async () => {
    const own = await node.createPost(kaoruko, postRecord('of aekea', [AEKEA]));
    const uris = [own.uri, uri];
    const answer = await (await node.procedure(node.appView, nsid, { uris })).json();
    expect(answer.records.map((record: { uri: string }) => record.uri)).toEqual(uris);
  });

  it('wants to know who asks', async () => {
    const response = await node.post(nsid, { uris: [uri] });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });
});

it('lists and describes the repo of somebody who has left to nobody but them', async () => {
  await node.enroll(mika, [SWORDSMITH]);
  await node.createPost(mika, postRecord('farewell'));
  const of = (viewer: TestPerson) => {
    const answers = [
      node.query(viewer, com.atproto.repo.listRecords.$nsid, { repo: mika.did, collection }),
      node.query(viewer, com.atproto.repo.describeRepo.$nsid, { repo: mika.did }),
      node.query(viewer, com.atproto.sync.getLatestCommit.$nsid, { did: mika.did }),
    ];
    return Promise.all(answers.map(async (answer) => (await answer).text()));
  };
  expect((await of(sakura))[0]).toContain('farewell');
  expect((await of(node.appView))[1]).toContain(collection);
  await node.procedure(mika, zone.stratos.enrollment.unenroll.$nsid, {});
  const notFound = expect.stringContaining('RepoNotFound');
  for (const viewer of [sakura, node.appView]) {
    expect(await of(viewer)).toEqual(['{"records":[]}', notFound, notFound]);
  }
  const [list, description, commit] = await of(mika);
  expect(list).toContain('farewell');
  expect(description).toContain(collection);
  expect(commit).toContain('"rev"');
});

it('hides what a person was removed from at once', async () => {
  const { uri: late } = await node.createPost(rei, postRecord('before the removal'));
  const ask = async () =>
    (await node.query(sakura, zone.stratos.repo.hydrateRecord.$nsid, { uri: late })).status;
  expect(await ask()).toBe(200);
  const change = { did: sakura.did, boundary: SWORDSMITH };
  expect((await node.operator(zone.stratos.admin.removeBoundary.$nsid, change)).status).toBe(200);
  expect(await ask()).toBe(404);
});
