import { readFile } from 'node:fs/promises';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { hashOf } from '../trusted.ts';
import { generateDocuments } from './generate-documents.ts';
import { DOCUMENTS_FILE, MANIFEST_FILE, PRINTED_SCHEMA, SCHEMA_FILE } from './places.ts';
import { trustedDocuments } from './trusted-documents.ts';

// What fails here is written anew by `npm run generate -w clients/graphql`.

test('the schema that apps get is the one of the gateway', async () => {
  expect(await readFile(SCHEMA_FILE, 'utf8')).toBe(await readFile(PRINTED_SCHEMA, 'utf8'));
});

test('the documents and their types are those of the schema', async () => {
  expect(await readFile(DOCUMENTS_FILE, 'utf8')).toBe(await generateDocuments());
});

test('the manifest has every operation under the hash that clients send', async () => {
  const manifest: Record<string, string> = JSON.parse(await readFile(MANIFEST_FILE, 'utf8'));
  expect(manifest).toEqual(trustedDocuments());
  const schema = buildSchema(await readFile(SCHEMA_FILE, 'utf8'));
  for (const [hash, text] of Object.entries(manifest)) {
    expect(await hashOf(text)).toBe(hash);
    expect(await hashOf(text.replace('\nfragment', '\n\nfragment'))).toBe(hash);
    expect(validate(schema, parse(text))).toEqual([]);
  }
});
