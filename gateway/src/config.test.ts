import { ConfigError } from '@stratos/protocol/environment';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const good = {
  DATABASE_URL: 'postgres://localhost:5433/stratos',
  GATEWAY_PUBLIC_URL: 'http://localhost:4000/',
  APPVIEW_DID: 'did:web:localhost%3A4000',
  APPVIEW_KEY_FILE: '/keys/appview.key',
  STRATOS_DEV_MODE: 'true',
};

test('reads the environment, with defaults', () => {
  expect(readConfig(good)).toMatchObject({
    port: 4000,
    publicUrl: 'http://localhost:4000',
    bearerSessions: true,
    devMode: true,
    demo: undefined,
    sessionKeyFile: '/keys/gateway-session.key',
  });
});

test('reads demo accounts', () => {
  const demo = {
    GATEWAY_DEMO_PDS_URL: 'http://localhost:2583',
    GATEWAY_DEMO_ACCOUNTS: 'rei.test:password,sakura.test:secret',
  };
  expect(readConfig({ ...good, ...demo }).demo?.accounts).toEqual([
    { handle: 'rei.test', password: 'password' },
    { handle: 'sakura.test', password: 'secret' },
  ]);
});

test.each([
  ['DATABASE_URL', undefined],
  ['DATABASE_URL', 'mysql://localhost'],
  ['GATEWAY_PUBLIC_URL', 'localhost:4000'],
  ['GATEWAY_PORT', 'http'],
  ['GATEWAY_PORT', '70000'],
  ['APPVIEW_DID', 'localhost'],
  ['APPVIEW_KEY_FILE', ''],
  ['GATEWAY_REDIS_URL', 'localhost:6379'],
  ['GATEWAY_BEARER_SESSIONS', 'yes'],
  ['STRATOS_DEV_MODE', 'on'],
  ['GATEWAY_DEMO_ACCOUNTS', 'rei.test'],
  ['GATEWAY_CORS_ORIGINS', 'https://app.example.com/'],
  ['GATEWAY_CORS_ORIGINS', 'app.example.com'],
  ['GATEWAY_TRUSTED_PROXIES', 'everybody'],
  ['GATEWAY_QUERY_COST', '0'],
  ['GATEWAY_INTROSPECTION', 'yes'],
  ['LOG_LEVEL', 'loud'],
])('refuses %s=%s and names it', (name, value) => {
  expect(() => readConfig({ ...good, [name]: value })).toThrow(ConfigError);
  expect(() => readConfig({ ...good, [name]: value })).toThrow(name);
});

test.each([
  ['STRATOS_DEV_MODE', { STRATOS_DEV_MODE: 'true' }],
  [
    'GATEWAY_DEMO_ACCOUNTS',
    {
      STRATOS_DEV_MODE: '',
      GATEWAY_DEMO_PDS_URL: 'http://localhost:2583',
      GATEWAY_DEMO_ACCOUNTS: 'rei.test:password',
    },
  ],
])('refuses %s on a public https URL', (name, extra) => {
  const https = { ...good, GATEWAY_PUBLIC_URL: 'https://gateway.example.com', ...extra };
  expect(() => readConfig(https)).toThrow(name);
});
