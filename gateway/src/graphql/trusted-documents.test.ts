import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@stratos/protocol/environment';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import { readTrustedDocuments } from './trusted-documents.ts';

const document = '{ viewer { did } }';
const hash = createHash('sha256').update(document).digest('hex');

let folder: string;
let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stratos-documents-'));
  const file = join(folder, 'documents.json');
  await writeFile(file, JSON.stringify({ [hash]: document }));
  gateway = await startTestGateway({ GATEWAY_TRUSTED_DOCUMENTS: file });
  token = await gateway.session(gateway.people.add('alice'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function ask(body: object) {
  const { status, body: text } = await send(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status, code: JSON.parse(text).errors?.[0].extensions.code };
}

const named = (sha256Hash: string) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash } },
});

test('runs what is listed, by its hash or as it is written', async () => {
  expect(await ask(named(hash))).toEqual({ status: 200, code: undefined });
  expect(await ask({ query: document })).toEqual({ status: 200, code: undefined });
});

test('runs nothing else', async () => {
  const refused = { status: 400, code: 'UNTRUSTED_DOCUMENT' };
  const other = '{ viewer { did handle } }';
  expect(await ask({ query: other })).toEqual(refused);
  expect(await ask({ query: `${document} ` })).toEqual(refused);
  expect(await ask({ query: other, ...named('0'.repeat(64)) })).toEqual(refused);
  expect(await ask(named('0'.repeat(64)))).toEqual(refused);
  expect(await ask({ query: '{ __typename }' })).toEqual(refused);
  // What is named counts, whatever is written beside it.
  expect((await ask({ query: other, ...named(hash) })).status).toBe(200);
});

test.each(['nonsense', '[]', '{"a":1}', '{"a":"{ not graphql"}'])(
  'does not start with %s',
  async (text) => {
    const file = join(folder, 'other.json');
    await writeFile(file, text);
    await expect(readTrustedDocuments(file)).rejects.toThrow(ConfigError);
    await expect(readTrustedDocuments(file)).rejects.toThrow('GATEWAY_TRUSTED_DOCUMENTS');
  },
);
