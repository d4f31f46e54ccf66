import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatEnvFile } from './env-file.ts';

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,20}$/);
const value = fc.string().filter((text) => {
  return !/[\r\n\0]/.test(text) && ["'", '"', '`'].some((mark) => !text.includes(mark));
});

it('writes what node --env-file reads back', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (env) => {
      expect(parseEnv(formatEnvFile(env))).toEqual(env);
    }),
  );
});

it('refuses what would not come back as it was', () => {
  expect(() => formatEnvFile({ A: 'two\nlines' })).toThrow(/A/);
  expect(() => formatEnvFile({ A: `'"\`` })).toThrow(/A/);
});
