import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type LexiconDocument,
  LexiconIterableIndexer,
  LexiconSchemaBuilder,
  lexiconDocumentSchema,
} from '@atproto/lex-document';
import { l } from '@atproto/lex-schema';
import { ConfigError } from '@stratos/protocol/environment';
import { zone } from '@stratos/protocol/lexicons';
import { isKeptCollection } from './record-rules.ts';

/** What the lexicon of a collection says of a record and its key. */
export type RecordLexicon = Pick<l.RecordSchema, 'keySchema' | 'safeValidate'>;

/** Lexicons by which records are checked, by collection. */
export type RecordLexicons = ReadonlyMap<string, RecordLexicon>;

const BUILT_IN: RecordLexicons = new Map<string, RecordLexicon>([
  [zone.stratos.feed.post.$nsid, zone.stratos.feed.post.main],
]);

/**
 * The lexicons that the node brings, and those of the operator: of the JSON documents in a folder,
 * at any depth, those that describe records which are kept here. The folder must also have the
 * documents that they refer to.
 *
 * @throws {@link ConfigError} naming the file, or the definition, that cannot be used
 */
export async function loadRecordLexicons(dir: string | undefined): Promise<RecordLexicons> {
  if (dir === undefined) return BUILT_IN;
  const documents = await readDocuments(dir);
  const added = new Map<string, RecordLexicon>();
  for (const { id, defs } of documents) {
    if (defs['main']?.type !== 'record' || !isKeptCollection(id)) continue;
    added.set(id, await buildSchema(documents, id));
  }
  // @NOTE what the node builds on keeps its meaning
  return new Map([...added, ...BUILT_IN]);
}

async function readDocuments(dir: string): Promise<LexiconDocument[]> {
  const files = await readdir(dir, { recursive: true }).catch((cause) => {
    throw new ConfigError('STRATOS_LEXICON_DIR is no folder that can be read', { cause });
  });
  const documents = new Map<string, LexiconDocument>();
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const document = await readDocument(join(dir, file), file);
    if (documents.has(document.id)) throw refused(file, `${document.id} is there twice`);
    documents.set(document.id, document);
  }
  return [...documents.values()];
}

async function readDocument(path: string, file: string): Promise<LexiconDocument> {
  try {
    return lexiconDocumentSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw refused(file, cause instanceof Error ? cause.message : 'it cannot be read', cause);
  }
}

async function buildSchema(
  documents: readonly LexiconDocument[],
  id: string,
): Promise<RecordLexicon> {
  try {
    const indexer = new LexiconIterableIndexer(documents);
    const schema = await LexiconSchemaBuilder.build(indexer, `${id}#main`);
    if (schema instanceof l.RecordSchema) return schema;
  } catch (cause) {
    throw refused(id, cause instanceof Error ? cause.message : 'it cannot be built', cause);
  }
  throw refused(id, 'it describes no record');
}

function refused(name: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`STRATOS_LEXICON_DIR: ${name}: ${why}`, { cause });
}
