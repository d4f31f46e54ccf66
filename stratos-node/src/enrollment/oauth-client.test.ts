import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OAuthStore } from '../storage/service-storage.ts';
import { openServiceStorage } from '../storage/sqlite/service-storage.ts';
import { testConfig } from '../testing/test-node.ts';
import { clientMetadata, createOAuthClient } from './oauth-client.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const PUBLIC = { STRATOS_PUBLIC_URL: 'https://node.example.com', STRATOS_DEV_MODE: 'false' };

let dataDir: string;
let store: OAuthStore;
const opened = new AsyncDisposableStack();
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-'));
  store = opened.use(await openServiceStorage(dataDir)).oauth;
});
afterAll(async () => {
  await opened.disposeAsync();
  await rm(dataDir, { recursive: true });
});

it('is a confidential client with a key, which it publishes without its secret', async () => {
  const config = testConfig(dataDir, {
    ...PUBLIC,
    STRATOS_OAUTH_CLIENT_SECRET: pem,
    STRATOS_OAUTH_CLIENT_NAME: 'The Forge',
    STRATOS_OAUTH_LOGO_URI: 'https://node.example.com/logo.png',
    STRATOS_OAUTH_TOS_URI: 'https://node.example.com/terms',
    STRATOS_OAUTH_POLICY_URI: 'https://node.example.com/policy',
  });
  const client = await createOAuthClient(config, store);
  expect(client.clientMetadata).toMatchObject({
    client_id: 'https://node.example.com/client-metadata.json',
    client_name: 'The Forge',
    logo_uri: 'https://node.example.com/logo.png',
    tos_uri: 'https://node.example.com/terms',
    policy_uri: 'https://node.example.com/policy',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks_uri: 'https://node.example.com/oauth/jwks.json',
  });
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const [key, ...others] = client.jwks.keys;
  expect(others).toEqual([]);
  expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', x, y, alg: 'ES256' });
  expect(key?.kid).toMatch(/^[\w-]{43}$/);
  expect(JSON.stringify(client.jwks)).not.toContain('"d"');
  const again = await createOAuthClient(config, store);
  expect(again.jwks).toEqual(client.jwks);
});

it('takes a key whose line breaks are written out', async () => {
  const secret = pem.replaceAll('\n', '\\n');
  const config = testConfig(dataDir, { ...PUBLIC, STRATOS_OAUTH_CLIENT_SECRET: secret });
  expect((await createOAuthClient(config, store)).jwks.keys).toHaveLength(1);
});

it('is a public client without a key', async () => {
  const client = await createOAuthClient(testConfig(dataDir, PUBLIC), store);
  expect(client.clientMetadata.token_endpoint_auth_method).toBe('none');
  expect(client.jwks.keys).toEqual([]);
  expect(Object.keys(clientMetadata(testConfig(dataDir, PUBLIC)))).not.toContain('jwks_uri');
});

it.each([
  ['no PEM', { ...PUBLIC, STRATOS_OAUTH_CLIENT_SECRET: 'secret' }],
  ['a key of another curve', { ...PUBLIC, STRATOS_OAUTH_CLIENT_SECRET: otherKey() }],
  ['a client without an address', { STRATOS_OAUTH_CLIENT_SECRET: pem }],
])('refuses %s, and does not repeat it', async (_, env) => {
  const created = createOAuthClient(testConfig(dataDir, env), store);
  await expect(created).rejects.toThrow(/^STRATOS_OAUTH_CLIENT_SECRET (must|needs)/);
  await expect(created).rejects.not.toThrow(env.STRATOS_OAUTH_CLIENT_SECRET);
});

function otherKey(): string {
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  return other.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}
