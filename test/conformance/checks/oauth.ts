import assert from 'node:assert/strict';
import { enrollmentRkey } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';

const METADATA = '/client-metadata.json';
const { status, unenroll } = zone.stratos.enrollment;
const { createRecord } = com.atproto.repo;

/** How people enroll, and how they leave. */
export const oauth = new CheckGroup('oauth');

oauth.add('publishes who it is as a client', async ({ node }) => {
  const answer = await node.request(METADATA);
  assert.equal(answer.status, 200);
  assert.equal(answer.contentType, 'application/json');
  const { client_id: id, redirect_uris: uris, dpop_bound_access_tokens: isBound } = answer.json;
  assert.ok(typeof id === 'string' && URL.canParse(id));
  assert.ok(Array.isArray(uris) && uris.length > 0);
  assert.equal(isBound, true);
});

oauth.add('asks people for no more than it needs', async ({ node }) => {
  const { scope } = (await node.request(METADATA)).json;
  const scopes = String(scope).split(' ');
  assert.ok(scopes.includes('atproto'));
  const wide = scopes.filter((each) => /transition:|\*|^rpc:|^account:|^identity:/.test(each));
  assert.deepEqual(wide, []);
});

oauth.add('is sent back to by its own addresses alone', async ({ node }) => {
  const { redirect_uris: uris } = (await node.request(METADATA)).json as {
    redirect_uris: string[];
  };
  for (const uri of uris) {
    const { hostname } = new URL(uri);
    const own = new URL((node.didDocument.service?.[0]?.serviceEndpoint as string) ?? '').hostname;
    assert.ok([own, '127.0.0.1', '[::1]'].includes(hostname), uri);
  }
});

oauth.add('publishes no private key', async ({ node }) => {
  const { text } = await node.request(METADATA);
  assert.doesNotMatch(text, /"d"\s*:/);
});

oauth.add('needs a handle to begin', async ({ node }) => {
  assert.equal((await node.request('/oauth/authorize')).status, 400);
});

oauth.add('returns to nobody who is not allowed (no open redirect)', async ({ node }) => {
  const evil = [
    'https://evil.example/',
    '//evil.example/',
    'javascript:alert(1)',
    `https://user@${node.url.host}@evil.example/`,
    `${node.url.origin}.evil.example/`,
    `https://evil.example/?${node.url.origin}`,
  ];
  for (const target of evil) {
    const params = { handle: 'alice.test', redirect_uri: target };
    const answer = await node.request('/oauth/authorize', { params });
    assert.equal(answer.status, 400, `${target}: ${answer.status}`);
  }
});

oauth.add('refuses a callback that this browser did not begin', async ({ node }) => {
  for (const query of ['', '?state=x', '?code=x&state=x', '?error=access_denied&state=x']) {
    const answer = await node.request(`/oauth/callback${query}`);
    assert.equal(answer.status, 400, query);
    assert.equal(answer.headers.get('set-cookie'), null);
  }
});

oauth.add('shows its pages in no frame, and leaves no referrer', async ({ node }) => {
  const { headers } = await node.request('/oauth/callback', { headers: { accept: 'text/html' } });
  assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
});

oauth.add('writes nothing of what it was sent into its pages unescaped', async ({ node }) => {
  const params = { state: '<script>alert(1)</script>', code: '<img src=x>', iss: '"><b>' };
  const headers = { accept: 'text/html' };
  const { text } = await node.request('/oauth/callback', { params, headers });
  assert.doesNotMatch(text, /<script>alert|<img src=x>|"><b>/);
});

oauth.add('/oauth/status needs somebody who says who they are', async ({ node }) => {
  (await node.request('/oauth/status')).refused(401, 'AuthRequired');
});

oauth.add('/oauth/status tells a person of themselves', ['people'], async ({ node, people }) => {
  const authorization = await people.author.authorization(status.$nsid);
  const answer = await node.request('/oauth/status', { authorization });
  assert.equal(answer.status, 200);
  assert.equal(answer.json['enrolled'], true);
});

oauth.add('/oauth/revoke needs somebody who says who they are', async ({ node }) => {
  const answer = await node.request('/oauth/revoke', { method: 'POST' });
  answer.refused(401, 'AuthRequired');
});

oauth.add(
  'who is not enrolled may not write, nor leave',
  ['newcomer'],
  async ({ node, newcomer }) => {
    const { person } = newcomer;
    const record = { boundary: { values: [{ value: node.domains[0] }] } };
    const body = { repo: person.did, collection: zone.stratos.feed.post.$nsid, record };
    assert.equal((await person.status()).enrolled, false);
    (await person.procedure(unenroll, {})).refused(403, 'NotEnrolled');
    const answer = await person.procedure(createRecord, body);
    answer.refused(answer.status === 400 ? 400 : 403, 'NotEnrolled');
  },
);

oauth.add(
  'enrolls a person, writes it on their PDS, and takes all of it back',
  ['newcomer'],
  async (world) => {
    const { node, newcomer } = world;
    const { person, enroll } = newcomer;
    const collection = zone.stratos.actor.enrollment.$nsid;
    const onPds = () => person.pds.record(collection, enrollmentRkey(node.did));
    world.afterwards(async () => {
      if ((await person.status()).enrolled) await person.procedure(unenroll, {});
    });
    await enroll();
    const { enrolled, boundaries = [] } = await person.status();
    assert.equal(enrolled, true);
    const record = await person.pds.eventually(onPds, (found) => found !== undefined);
    assert.deepEqual(record?.['boundaries'], boundaries);

    const { uri, rkey } = await person.post(boundaries.slice(0, 1).map(({ value }) => value));
    const stub = () => person.pds.record(zone.stratos.feed.post.$nsid, rkey);
    const found = await person.pds.eventually(stub, (each) => each !== undefined);
    assert.equal((found?.['source'] as { subject?: { uri: string } })?.subject?.uri, uri);
    assert.equal(found?.['text'], undefined);
    (await person.delete(rkey)).ok();
    assert.equal(await person.pds.eventually(stub, (each) => each === undefined), undefined);

    (await person.procedure(unenroll, {})).ok();
    assert.equal((await person.status()).enrolled, false);
    assert.equal(await person.pds.eventually(onPds, (each) => each === undefined), undefined);
  },
);
