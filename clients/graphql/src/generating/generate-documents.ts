import { readdir, readFile } from 'node:fs/promises';
import { addTypenameToDocument } from '@apollo/client/utilities';
import { codegen } from '@graphql-codegen/core';
import * as typedDocuments from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';
import { DOCUMENTS_FOLDER, SCHEMA_FILE } from './places.ts';

/** What the scalars are in JSON. */
const SCALARS = {
  AtUri: 'string',
  Boundary: 'string',
  Cid: 'string',
  DateTime: 'string',
  Did: 'string',
  JSON: 'unknown',
};

/**
 * The module of all documents with their types. Caches ask for `__typename` everywhere and would add it, so it
 * is there already: what is sent is what is written.
 */
export async function generateDocuments(): Promise<string> {
  const files = (await readdir(DOCUMENTS_FOLDER)).toSorted();
  const documents = await Promise.all(
    files.map(async (location) => {
      const text = await readFile(new URL(location, DOCUMENTS_FOLDER), 'utf8');
      return { location, document: addTypenameToDocument(parse(text, { noLocation: true })) };
    }),
  );
  const code = await codegen({
    filename: 'documents.ts',
    schema: parse(await readFile(SCHEMA_FILE, 'utf8')),
    documents,
    config: {
      scalars: SCALARS,
      strictScalars: true,
      enumType: 'string-literal',
      immutableTypes: true,
      skipTypename: true,
      useTypeImports: true,
      optimizeDocumentNode: true,
    },
    plugins: [{ operations: {} }, { typedDocuments: {} }],
    pluginMap: { operations, typedDocuments },
  });
  return `${code.trim()}\n`;
}
