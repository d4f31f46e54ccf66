import { expect, test } from 'vitest';
import {
  permissionSetScope,
  repoScope,
  rpcScope,
  SESSION_SCOPE,
  withScopeFallback,
} from './scopes.ts';

test('scopes are written as authorization servers read them', () => {
  expect(repoScope('zone.stratos.feed.post')).toBe('repo:zone.stratos.feed.post');
  expect(repoScope('zone.stratos.feed.post', ['create', 'delete'])).toBe(
    'repo:zone.stratos.feed.post?action=create&action=delete',
  );
  expect(rpcScope(['a.b.c'])).toBe('rpc:a.b.c?aud=*');
  expect(rpcScope(['a.b.c', 'a.b.d'], { audience: 'did:web:localhost%3A3100#stratos' })).toBe(
    'rpc?lxm=a.b.c&lxm=a.b.d&aud=did:web:localhost%253A3100%23stratos',
  );
  expect(permissionSetScope('a.b.c')).toBe('include:a.b.c');
  expect(permissionSetScope('a.b.c', { audience: 'did:web:a.example#stratos' })).toBe(
    'include:a.b.c?aud=did:web:a.example%23stratos',
  );
});

test('a server that cannot resolve a permission set is asked for what is in it', async () => {
  const asked: string[] = [];
  const authorize = async (scope: string) => {
    asked.push(scope);
    if (!scope.includes('include:')) return scope;
    throw Object.assign(new Error('refused'), { error: 'invalid_scope' });
  };
  const scopes = [`atproto ${permissionSetScope('a.b.c')}`, SESSION_SCOPE];
  expect(await withScopeFallback(scopes, authorize)).toBe(SESSION_SCOPE);
  expect(asked).toEqual(scopes);
  await expect(withScopeFallback(scopes.slice(0, 1), authorize)).rejects.toThrow('refused');
});

test('what else goes wrong is not tried again', async () => {
  let asked = 0;
  const authorize = async () => {
    asked += 1;
    throw Object.assign(new Error('denied'), { error: 'access_denied' });
  };
  await expect(withScopeFallback(['a', 'b'], authorize)).rejects.toThrow('denied');
  expect(asked).toBe(1);
});
