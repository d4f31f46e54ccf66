import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryKeptValues } from './kept-values.ts';
import { clientMetadata, createOAuthClient, readAppState } from './oauth-client.ts';

const config = {
  publicUrl: 'http://localhost:4000',
  devMode: true,
  plcUrl: 'http://localhost:1',
  handleResolverUrl: undefined,
};

test('a flow is good once, however it ends', async () => {
  const flows = new MemoryKeptValues();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const dpopJwk = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'key' };
  const kept = { appState: 'mine', iss: 'http://pds.test', verifier: 'x', dpopJwk };
  await flows.put('one', JSON.stringify(kept), 60);
  expect(await readAppState(flows, 'one')).toBe('mine');
  const client = createOAuthClient(config, flows);
  const answer = new URLSearchParams({ state: 'one', error: 'access_denied' });
  await expect(client.callback(answer)).rejects.toThrow('OAuth callback error');
  expect(await readAppState(flows, 'one')).toBeUndefined();
});

test('asks a PDS who somebody is, and for nothing that they have', () => {
  for (const publicUrl of [config.publicUrl, 'https://gateway.example.com']) {
    expect(clientMetadata(publicUrl)).toMatchObject({
      scope: 'atproto',
      dpop_bound_access_tokens: true,
    });
  }
});
