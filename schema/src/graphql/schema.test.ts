import { readFile } from 'node:fs/promises';
import {
  type GraphQLField,
  type GraphQLInputField,
  isEnumType,
  isSpecifiedScalarType,
} from 'graphql';
import { expect, test } from 'vitest';
import { printGraphqlSchema, SCHEMA_FILE } from './print.ts';
import { buildGraphqlSchema } from './schema.ts';

test('schema.graphql is what the code says (npm run print -w schema)', async () => {
  expect(await readFile(SCHEMA_FILE, 'utf8')).toBe(printGraphqlSchema());
});

test('every type, field, argument and value is described', () => {
  const missing: string[] = [];
  for (const type of Object.values(buildGraphqlSchema().getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    const parts = isEnumType(type)
      ? type.getValues()
      : 'getFields' in type
        ? Object.values(type.getFields()).flatMap((field) => [field, ...argumentsOf(field)])
        : [];
    for (const { name, description } of [type, ...parts]) {
      if (!description) missing.push(`${type.name} ${name}`);
    }
  }
  expect(missing).toEqual([]);
});

function argumentsOf(field: GraphQLField<unknown, unknown> | GraphQLInputField) {
  return 'args' in field ? field.args : [];
}
