import { readFileSync } from 'node:fs';

/** The version of this indexer, from its package. */
export const INDEXER_VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;
