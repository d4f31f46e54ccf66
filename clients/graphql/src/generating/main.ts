import { copyFile, writeFile } from 'node:fs/promises';
import { generateDocuments } from './generate-documents.ts';
import { DOCUMENTS_FILE, MANIFEST_FILE, PRINTED_SCHEMA, SCHEMA_FILE } from './places.ts';

await copyFile(PRINTED_SCHEMA, SCHEMA_FILE);
await writeFile(DOCUMENTS_FILE, await generateDocuments());
// It reads what was just written.
const { trustedDocuments } = await import('./trusted-documents.ts');
await writeFile(MANIFEST_FILE, `${JSON.stringify(trustedDocuments(), null, 2)}\n`);
