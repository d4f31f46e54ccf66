import { zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { DpopClient } from '../testing/dpop-client.ts';
import { ADMIN_PASSWORD, SWORDSMITH, TestNode, TestPerson } from '../testing/test-node.ts';

const STATUS = zone.stratos.enrollment.status.$nsid;
const rei = TestPerson.named('rei');
const PROXIED = { STRATOS_TRUSTED_PROXIES: 'loopback', STRATOS_IP_RATE_MAX_REQUESTS: '3' };
const OPEN = [
  '/.well-known/did.json',
  '/client-metadata.json',
  '/oauth/jwks.json',
  '/oauth/authorize',
  '/oauth/callback',
  `/xrpc/${STATUS}?did=${rei.did}`,
  `/xrpc/${zone.stratos.server.listDomains.$nsid}`,
  `/xrpc/${zone.stratos.identity.getKeyHistory.$nsid}`,
];

function ask(node: TestNode, path: string, headers: Record<string, string> = {}) {
  return fetch(node.url + path, { redirect: 'manual', headers });
}

it.each(OPEN)('lets one address ask for %s as often as the operator says', async (path) => {
  await using node = await TestNode.start({ people: [rei], env: PROXIED });
  const from = (address: string) => ask(node, path, { 'x-forwarded-for': address });
  for (const remaining of ['2', '1', '0']) {
    const { status, headers } = await from('203.0.113.7');
    expect(status).not.toBe(429);
    expect(headers.get('ratelimit-limit')).toBe('3');
    expect(headers.get('ratelimit-remaining')).toBe(remaining);
    expect(headers.get('ratelimit-policy')).toBe('3;w=60');
  }
  const refused = await from('203.0.113.7');
  expect([refused.status, (await refused.json()).error]).toEqual([429, 'RateLimitExceeded']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Number(refused.headers.get('ratelimit-reset')) * 1000).toBeGreaterThan(Date.now() - 1000);
  expect((await from('203.0.113.8')).status).not.toBe(429);
});

it('cannot be talked into another address by whoever is no proxy of ours', async () => {
  await using node = await TestNode.start({ env: { STRATOS_IP_RATE_MAX_REQUESTS: '3' } });
  const statuses = [];
  for (let i = 0; i < 5; i++) {
    const headers = { 'x-forwarded-for': `203.0.113.${i}`, forwarded: `for=203.0.113.${i}` };
    statuses.push((await ask(node, '/.well-known/did.json', headers)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});

it('counts a whole IPv6 network as one', async () => {
  await using node = await TestNode.start({ env: PROXIED });
  const statuses = [];
  for (let i = 0; i < 4; i++) {
    const headers = { 'x-forwarded-for': `2001:db8:1:2:${i}::${i}` };
    statuses.push((await ask(node, '/.well-known/did.json', headers)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
});

it('takes no more tokens from where too many did not hold, and leaves others alone', async () => {
  await using node = await TestNode.start({ people: [rei], env: PROXIED });
  const path = `/xrpc/${STATUS}?did=${rei.did}`;
  const send = (authorization: string, address: string) =>
    ask(node, path, { authorization, 'x-forwarded-for': address });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await send('Bearer nonsense', '203.0.113.7')).status);
  expect(statuses).toEqual([401, 401, 401, 429]);
  const good = () => rei.authorization(STATUS);
  expect((await send(await good(), '203.0.113.7')).status).toBe(429);
  expect((await send(await good(), '203.0.113.8')).status).toBe(200);
  expect((await ask(node, path, { 'x-forwarded-for': '203.0.113.7' })).status).toBe(200);
});

it('goes on with those who have a session, wherever others fail', async () => {
  await using node = await TestNode.start({
    people: [rei],
    env: { STRATOS_IP_RATE_MAX_REQUESTS: '3' },
  });
  await node.enroll(rei, [SWORDSMITH]);
  const client = await DpopClient.signedIn({ url: node.url, person: rei });
  const path = `/xrpc/${STATUS}?did=${rei.did}`;
  const fail = (authorization: string) => ask(node, path, { authorization });
  for (let i = 0; i < 3; i++) await fail('Bearer nonsense');
  expect((await fail(`DPoP ${client.token}x`)).status).toBe(429);
  expect((await client.get(STATUS, { did: rei.did })).status).toBe(200);
});

it('does not count calls that hold, nor that a nonce was asked for', async () => {
  await using node = await TestNode.start({ people: [rei], env: PROXIED });
  await node.enroll(rei, [SWORDSMITH]);
  for (let i = 0; i < 5; i++) {
    const client = await DpopClient.signedIn({ url: node.url, person: rei });
    expect((await client.get(STATUS, { did: rei.did })).status).toBe(200);
  }
});

it('gives no burst of guesses more tries for the password of the operator', async () => {
  await using node = await TestNode.start({ env: { STRATOS_TRUSTED_PROXIES: 'loopback' } });
  const list = `/xrpc/${zone.stratos.admin.listEnrollments.$nsid}`;
  const guess = (password: string, address: string) =>
    ask(node, list, { authorization: `Bearer ${password}`, 'x-forwarded-for': address });
  const burst = await Promise.all(
    Array.from({ length: 30 }, (_, i) => guess(`guess ${i}`, `2001:db8::${i.toString(16)}`)),
  );
  const statuses = burst.map(({ status }) => status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(25);
  expect((await guess(ADMIN_PASSWORD, '2001:db8::ffff')).status).toBe(429);
  expect((await guess(ADMIN_PASSWORD, '203.0.113.7')).status).toBe(200);
  const audit = await node.ctx.service.audit.newest(100);
  expect(audit.filter(({ outcome }) => outcome === 'refused')).toHaveLength(5);
  expect(audit.every(({ address }) => address.startsWith('2001:db8::'))).toBe(true);
});
