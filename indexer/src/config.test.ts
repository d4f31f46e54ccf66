import { ConfigError } from '@stratos/protocol/environment';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const ENV = {
  DATABASE_URL: 'postgresql://stratos:hunter2@127.0.0.1:5433/appview',
  APPVIEW_DID: 'did:web:appview.example',
  APPVIEW_KEY_FILE: '/keys/appview',
  INDEXER_FIREHOSE_URL: 'https://pds.example/',
};

test('has defaults for all that an operator need not say', () => {
  expect(readConfig({ ...ENV, INDEXER_PORT: '' })).toMatchObject({
    firehoseUrl: 'wss://pds.example',
    host: '127.0.0.1',
    port: 3002,
    leaseSeconds: 60,
    plcUrl: 'https://plc.directory',
    devMode: false,
  });
});

test.each([
  ['DATABASE_URL', 'mysql://x:hunter2@y/z'],
  ['APPVIEW_DID', 'hunter2'],
  ['INDEXER_FIREHOSE_URL', 'ftp://hunter2'],
  ['INDEXER_PORT', 'hunter2'],
  ['INDEXER_ADMIN_PASSWORD', 'hunter'],
  ['INDEXER_NAME', 'hunter2/%'],
  ['INDEXER_LEASE_SECONDS', '0'],
  ['STRATOS_DEV_MODE', 'yes'],
  ['STRATOS_DEV_MODE', 'true'],
])('names %s when it is wrong, and never what it was', (name, value) => {
  const read = () => readConfig({ ...ENV, [name]: value });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(name);
  expect(read).not.toThrow('hunter2');
});
