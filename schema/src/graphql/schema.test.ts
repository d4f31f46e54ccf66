import { readFile } from 'node:fs/promises';
import { isObjectType, isScalarType, isSpecifiedScalarType } from 'graphql';
import { expect, test } from 'vitest';
import { printGraphqlSchema, SCHEMA_FILE } from './print.ts';
import { buildGraphqlSchema } from './schema.ts';

test('schema.graphql is what the code says (npm run print -w schema)', async () => {
  expect(await readFile(SCHEMA_FILE, 'utf8')).toBe(printGraphqlSchema());
});

test('every type, field and argument is described', () => {
  const missing: string[] = [];
  for (const type of Object.values(buildGraphqlSchema().getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    if (!type.description) missing.push(type.name);
    if (isScalarType(type) || !isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.description) missing.push(`${type.name}.${field.name}`);
      for (const arg of field.args) {
        if (!arg.description) missing.push(`${type.name}.${field.name}(${arg.name})`);
      }
    }
  }
  expect(missing).toEqual([]);
});
