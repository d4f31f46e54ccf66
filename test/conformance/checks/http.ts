import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';

const { createRecord, getRecord } = com.atproto.repo;
const { listDomains } = zone.stratos.server;
const { hydrateRecords } = zone.stratos.repo;

/** How the node speaks HTTP. */
export const http = new CheckGroup('http');

const PATHS = [
  '/',
  '/health',
  '/.well-known/did.json',
  `/xrpc/${listDomains.$nsid}`,
  '/nothing-here',
];

http.add('does not say by what it is served', async ({ node }) => {
  for (const path of PATHS) {
    const { headers } = await node.request(path);
    assert.equal(headers.get('x-powered-by'), null, path);
  }
});

http.add('forbids to guess types (nosniff)', async ({ node }) => {
  for (const path of PATHS) {
    const { headers } = await node.request(path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
  }
});

http.add('lets any origin call, without cookies', async ({ node }) => {
  const headers = { origin: 'https://app.example' };
  const answer = await node.request(`/xrpc/${listDomains.$nsid}`, { headers });
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);
});

http.add('answers preflights, with the headers that clients send', async ({ node }) => {
  const headers = {
    origin: 'https://app.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };
  const path = `/xrpc/${createRecord.$nsid}`;
  const answer = await node.request(path, { method: 'OPTIONS', headers });
  assert.equal(answer.status, 204);
  const allowed = (answer.headers.get('access-control-allow-headers') ?? '').toLowerCase();
  for (const name of ['authorization', 'content-type', 'dpop'])
    assert.ok(allowed.includes(name), name);
  assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/);
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);
});

http.add('lets pages read the headers that they need', async ({ node }) => {
  const headers = { origin: 'https://app.example' };
  const answer = await node.request(`/xrpc/${listDomains.$nsid}`, { headers });
  const exposed = (answer.headers.get('access-control-expose-headers') ?? '').toLowerCase();
  for (const name of ['dpop-nonce', 'www-authenticate', 'retry-after']) {
    assert.ok(exposed.includes(name), `${name} is not exposed`);
  }
});

http.add('sets CORS headers on errors too', async ({ node }) => {
  const headers = { origin: 'https://app.example' };
  const answer = await node.request(`/xrpc/${getRecord.$nsid}`, { headers });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
});

http.add('answers 404 with an error where there is nothing', async ({ node }) => {
  for (const path of ['/nothing-here', '/.well-known/nothing', '/oauth/nothing', '/XRPC/x']) {
    const answer = await node.request(path);
    assert.equal(answer.status, 404, path);
    assert.equal(typeof answer.json['error'], 'string');
  }
});

http.add('does not serve files of the machine', async ({ node }) => {
  for (const path of [
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/data/service.sqlite',
  ]) {
    assert.equal((await node.request(path)).status, 404, path);
  }
});

http.add('answers 404 or 501 to a method that there is not', async ({ node }) => {
  for (const nsid of ['zone.stratos.repo.noSuchMethod', 'com.atproto.server.createAccount']) {
    const answer = await node.request(`/xrpc/${nsid}`);
    assert.ok([404, 501].includes(answer.status), `${nsid}: ${answer.status}`);
    assert.equal(typeof answer.json['error'], 'string');
  }
});

http.add('refuses GET for a procedure, and POST for a query', async ({ node }) => {
  const got = await node.request(`/xrpc/${createRecord.$nsid}`);
  const posted = await node.request(`/xrpc/${listDomains.$nsid}`, { body: {} });
  for (const answer of [got, posted]) {
    assert.ok([400, 404, 405].includes(answer.status), String(answer.status));
    assert.equal(typeof answer.json['error'], 'string');
  }
});

http.add('refuses a body that is not JSON', ['people'], async ({ node, people }) => {
  const authorization = await people.author.authorization(hydrateRecords.$nsid);
  const headers = { 'content-type': 'application/json' };
  const answer = await node.call(hydrateRecords, {
    authorization,
    headers,
    body: '{"uris": [secret',
  });
  answer.refused(400, 'InvalidRequest');
  assert.ok(!answer.text.includes('secret'), 'the error has a part of the body in it');
});

http.add('refuses a body of another type', ['people'], async ({ node, people }) => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/cbor']) {
    const authorization = await people.author.authorization(hydrateRecords.$nsid);
    const headers = { 'content-type': type };
    const answer = await node.call(hydrateRecords, { authorization, headers, body: '{"uris":[]}' });
    assert.ok([400, 415].includes(answer.status), `${type}: ${answer.status}`);
  }
});

http.add('refuses a procedure without its body', ['people'], async ({ people }) => {
  (await people.author.procedure(hydrateRecords, undefined)).refused(400, 'InvalidRequest');
});

http.add('answers 413 to a JSON body that is too large', ['people'], async ({ people }) => {
  const answer = await people.author.procedure(hydrateRecords, {
    uris: [],
    more: 'x'.repeat(4_000_000),
  });
  assert.equal(answer.status, 413);
});

http.add('does not unpack a small body into a large one', ['people'], async ({ node, people }) => {
  const { gzipSync } = await import('node:zlib');
  const body = gzipSync(JSON.stringify({ uris: [], more: 'x'.repeat(30_000_000) }));
  const authorization = await people.author.authorization(hydrateRecords.$nsid);
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const answer = await node.call(hydrateRecords, { authorization, headers, body });
  assert.ok([400, 413, 415].includes(answer.status), String(answer.status));
});

http.add('survives parameters that are there twice, or are no numbers', async ({ node }) => {
  const { listRecords } = com.atproto.repo;
  for (const query of [
    'limit=x',
    'limit=1&limit=2',
    'limit=1e9',
    'repo=a&repo=b',
    'limit[]=1',
    '%00=%00',
  ]) {
    const answer = await node.request(`/xrpc/${listRecords.$nsid}?collection=x&repo=y&${query}`);
    assert.equal(answer.status, 400, `${query}: ${answer.status} ${answer.text}`);
  }
});

http.add('tells nothing of its inside in an error', async ({ node }) => {
  for (const path of [
    `/xrpc/${getRecord.$nsid}?repo=%00`,
    '/xrpc/',
    '/xrpc/%ff',
    '/oauth/callback?state=x',
  ]) {
    const { text, status } = await node.request(path);
    assert.ok(status < 500, `${path}: ${status}`);
    assert.doesNotMatch(text, /node_modules|\.ts:\d|at async|SQLITE|postgres|\/src\//);
  }
});

http.add('keeps what it answers to XRPC out of caches', async ({ node }) => {
  const { headers } = await node.request(`/xrpc/${listDomains.$nsid}`);
  assert.match(headers.get('cache-control') ?? '', /no-store/);
  assert.match(headers.get('vary') ?? '', /authorization/i);
});

http.add('sets no cookies on XRPC', async ({ node }) => {
  const { headers } = await node.request(`/xrpc/${listDomains.$nsid}`);
  assert.equal(headers.get('set-cookie'), null);
});
