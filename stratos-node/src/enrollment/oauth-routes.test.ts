import { expect, it } from 'vitest';
import { TestNode, testConfig } from '../testing/test-node.ts';
import { clientMetadata } from './oauth-client.ts';

async function open(node: TestNode, path: string, headers: Record<string, string> = {}) {
  return fetch(`${node.url}${path}`, { redirect: 'manual', headers });
}

it.each([
  'https://evil.example.com/',
  'http://localhost:3100@evil.example.com/',
  'http://user:password@localhost:3100/',
  'javascript:alert(1)',
  '//evil.example.com',
  '/relative',
])('does not return to %s', async (redirectUri) => {
  await using node = await TestNode.start();
  const query = new URLSearchParams({ handle: 'rei.test', redirect_uri: redirectUri });
  const response = await open(node, `/oauth/authorize?${query}`);
  expect([response.status, (await response.json()).error]).toEqual([400, 'InvalidRequest']);
});

it('goes to the host on which the authorization server will come back', async () => {
  await using node = await TestNode.start({
    env: { STRATOS_OAUTH_REDIRECT_ORIGINS: 'https://app.example.com' },
  });
  const query = new URLSearchParams({
    handle: 'rei.test',
    redirect_uri: 'https://app.example.com/x',
  });
  const response = await open(node, `/oauth/authorize?${query}`);
  expect(response.status).toBe(302);
  expect(response.headers.get('location')).toBe(`http://127.0.0.1:3100/oauth/authorize?${query}`);
});

it('refuses a callback that no browser of ours began, as a page or as JSON', async () => {
  await using node = await TestNode.start();
  const response = await open(node, '/oauth/callback?code=x&state=y', {
    cookie: 'stratos_flow_x=y',
  });
  expect([response.status, (await response.json()).error]).toEqual([400, 'InvalidFlow']);
  const page = await open(node, '/oauth/callback?code=x&state=y', { accept: 'text/html' });
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
});

it('wants to know who enrolls', async () => {
  await using node = await TestNode.start();
  expect((await open(node, '/oauth/authorize')).status).toBe(400);
});

it('is a loopback client in development and a public web client elsewhere', async () => {
  const local = clientMetadata(testConfig(''));
  expect(local.redirect_uris).toEqual(['http://127.0.0.1:3100/oauth/callback']);
  expect(local.client_id).toMatch(/^http:\/\/localhost\?redirect_uri=/);
  const url = 'https://node.example.com';
  const web = clientMetadata(
    testConfig('', { STRATOS_PUBLIC_URL: url, STRATOS_DEV_MODE: 'false' }),
  );
  expect(web).toMatchObject({
    client_id: 'https://node.example.com/client-metadata.json',
    redirect_uris: ['https://node.example.com/oauth/callback'],
    application_type: 'web',
    token_endpoint_auth_method: 'none',
    dpop_bound_access_tokens: true,
  });
});
