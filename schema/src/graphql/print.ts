import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildGraphqlSchema } from './schema.ts';

/** Where the printed schema is kept. */
export const SCHEMA_FILE = new URL('../../schema.graphql', import.meta.url);

/** The schema as text, sorted, so that a change shows as a small difference. */
export function printGraphqlSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildGraphqlSchema()))}\n`;
}
