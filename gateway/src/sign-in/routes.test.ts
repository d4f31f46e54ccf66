import { expect, test } from 'vitest';
import { startTestGateway } from '../testing/test-gateway.ts';

test('why nobody could sign in is not said: it would tell what the gateway reaches', async () => {
  await using gateway = await startTestGateway({
    STRATOS_HANDLE_RESOLVER_URL: 'http://inside.invalid',
  });
  const login = new URL('/oauth/login', gateway.url.replace('localhost', '127.0.0.1'));
  for (const handle of ['nobody.test', 'did:web:inside.invalid', 'https://inside.invalid', '?']) {
    login.search = new URLSearchParams({ handle }).toString();
    const response = await fetch(login, { redirect: 'manual' });
    expect([handle, response.status, await response.json()]).toEqual([
      handle,
      400,
      { error: 'InvalidRequest', message: 'That did not work. Begin again' },
    ]);
  }
});
