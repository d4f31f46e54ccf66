import { readFileSync } from 'node:fs';

/** The version of this node, from its package. */
export const NODE_VERSION: string = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
).version;
