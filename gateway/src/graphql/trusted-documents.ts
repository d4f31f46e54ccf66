import { readFile } from 'node:fs/promises';
import { ConfigError } from '@stratos/protocol/environment';
import { type ApiContext, ApiError } from '@stratos/schema';
import { parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { z } from 'zod';
import type { Logger } from '../logger.ts';
import { toRequestError } from './errors.ts';

/** Documents by what clients call them, which is their hash. */
export type TrustedDocuments = ReadonlyMap<string, string>;

const persisted = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) });

/**
 * Reads a JSON object of hash → document.
 *
 * @throws ConfigError for anything else
 */
export async function readTrustedDocuments(file: string): Promise<TrustedDocuments> {
  try {
    const documents = z
      .record(z.string(), z.string())
      .parse(JSON.parse(await readFile(file, 'utf8')));
    for (const document of Object.values(documents)) parse(document);
    return new Map(Object.entries(documents));
  } catch (cause) {
    const message = 'GATEWAY_TRUSTED_DOCUMENTS: must be a JSON file of hash and document';
    throw new ConfigError(message, { cause });
  }
}

/** Runs these documents and no other, named by `extensions.persistedQuery.sha256Hash` or written out. */
export function trustedDocumentsOnly(
  documents: TrustedDocuments,
  logger: Logger,
): Plugin<ApiContext> {
  const texts = new Set(documents.values());
  return {
    onParams({ params, setParams }) {
      const named = persisted.safeParse(params.extensions);
      const hash = named.success ? named.data.persistedQuery.sha256Hash : undefined;
      const query = hash === undefined ? params.query : documents.get(hash);
      if (query !== undefined && texts.has(query)) return setParams({ ...params, query });
      const error = new ApiError('UNTRUSTED_DOCUMENT', 'This gateway runs documents that it knows');
      throw toRequestError(error, logger);
    },
  };
}
