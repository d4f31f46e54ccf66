const PACKAGE = new URL('../../', import.meta.url);

/** Of the documents as they are written by hand. */
export const DOCUMENTS_FOLDER = new URL('documents/', PACKAGE);
export const DOCUMENTS_FILE = new URL('src/generated/documents.ts', PACKAGE);
export const MANIFEST_FILE = new URL('src/generated/trusted-documents.json', PACKAGE);
export const SCHEMA_FILE = new URL('src/generated/schema.graphql', PACKAGE);
/** Of the room that the API is written in. */
export const PRINTED_SCHEMA = new URL(import.meta.resolve('@stratos/schema/schema.graphql'));
