import { readFile } from 'node:fs/promises';
import { buildSchema, isInterfaceType } from 'graphql';
import { expect, test } from 'vitest';
import { CACHE_OPTIONS } from './apollo.ts';
import { SCHEMA_FILE } from './generating/places.ts';

test('the cache knows of each interface what there is of it', async () => {
  const schema = buildSchema(await readFile(SCHEMA_FILE, 'utf8'));
  const interfaces = Object.values(schema.getTypeMap()).filter(isInterfaceType);
  const names = interfaces.map((type) => [
    type.name,
    schema
      .getPossibleTypes(type)
      .map(({ name }) => name)
      .toSorted(),
  ]);
  expect(CACHE_OPTIONS.possibleTypes).toEqual(Object.fromEntries(names));
});
