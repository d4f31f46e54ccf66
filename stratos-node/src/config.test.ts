import { ConfigError } from '@stratos/protocol/environment';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const VALID = {
  STRATOS_SERVICE_DID: 'did:web:stratos.example.com',
  STRATOS_PUBLIC_URL: 'https://stratos.example.com/',
  STRATOS_ALLOWED_DOMAINS: 'swordsmith, aekea',
};

describe('readConfig', () => {
  it('qualifies the names of boundaries with the DID of the node', () => {
    const config = readConfig(VALID);
    expect(config.boundaries).toEqual([
      'did:web:stratos.example.com/swordsmith',
      'did:web:stratos.example.com/aekea',
    ]);
    expect(config.enrollment.boundaries).toEqual(config.boundaries);
    expect(config.publicUrl).toBe('https://stratos.example.com');
  });

  it('takes names that are qualified already as they are', () => {
    const config = readConfig({
      ...VALID,
      STRATOS_ALLOWED_DOMAINS: 'did:web:stratos.example.com/art',
    });
    expect(config.boundaries).toEqual(['did:web:stratos.example.com/art']);
  });

  it.each([
    ['STRATOS_SERVICE_DID', undefined],
    ['STRATOS_SERVICE_DID', 'not a did'],
    ['STRATOS_PUBLIC_URL', 'ftp://example.com'],
    ['STRATOS_ALLOWED_DOMAINS', ''],
    ['STRATOS_ALLOWED_DOMAINS', 'Upper'],
    ['STRATOS_ALLOWED_DOMAINS', 'did:web:elsewhere.example.com/art'],
    ['STRATOS_AUTO_ENROLL_DOMAINS', 'unknown'],
    ['STORAGE_BACKEND', 'postgres'],
    ['STRATOS_BLOB_STORAGE', 's3'],
    ['STRATOS_DEV_MODE', 'yes'],
    ['STRATOS_DEV_MODE', 'true'],
    ['STRATOS_HEARTBEAT_INTERVAL_MS', '15001'],
    ['STRATOS_ALLOWED_APPVIEWS', 'did:web:fine.example.com,nonsense'],
    ['STRATOS_STUBS', 'true'],
    ['STRATOS_PORT', '70000'],
  ])('refuses %s=%s and names the variable', (name, value) => {
    const read = () => readConfig({ ...VALID, [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(name);
  });

  it('wants https outside of development', () => {
    const http = { ...VALID, STRATOS_PUBLIC_URL: 'http://localhost:3100' };
    expect(() => readConfig(http)).toThrow('STRATOS_PUBLIC_URL');
    expect(readConfig({ ...http, STRATOS_DEV_MODE: '1' }).devMode).toBe(true);
  });
});
