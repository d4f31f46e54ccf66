import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printGraphqlSchema } from '@stratos/schema';
import { buildSchema, findBreakingChanges } from 'graphql';
import { expect, test } from 'vitest';

const RELEASED = join(import.meta.dirname, '../../schema/released.graphql');
const released = await readFile(RELEASED, 'utf8');

/** What clients of one schema cannot rely on any more with another. */
function broken(before: string, after: string): string[] {
  const changes = findBreakingChanges(buildSchema(before), buildSchema(after));
  return changes.map(({ type, description }) => `${type}: ${description}`);
}

// A release replaces schema/released.graphql by schema/schema.graphql.
test('what was released of the GraphQL API is still there', () => {
  expect(broken(released, printGraphqlSchema())).toEqual([]);
});

test.each([
  [
    'a field that is gone',
    'FIELD_REMOVED',
    (sdl: string) => sdl.replace('  facets: ', '  facet: '),
  ],
  [
    'a field that may be null now',
    'FIELD_CHANGED_KIND',
    (sdl: string) => sdl.replace(/^ {2}createdAt: DateTime!$/m, '  createdAt: DateTime'),
  ],
  [
    'an argument that is asked for now',
    'REQUIRED_ARG_ADDED',
    (sdl: string) => sdl.replace('  viewer: ', '  viewer(now: Int!): '),
  ],
])('%s would be noticed', (_, type, change) => {
  const changed = change(released);
  expect(changed).not.toBe(released);
  expect(broken(released, changed)).toEqual([expect.stringMatching(`^${type}: `)]);
});
