import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { gatewayVariables } from './config.ts';

const PAGE = new URL('../../docs/operator.md', import.meta.url);
const page = await readFile(PAGE, 'utf8');
const names = Object.keys(gatewayVariables.shape);

/** The names in the first column of tables. */
const documented = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .flatMap((row) => row.split('|')[1]?.match(/(?<=`)[A-Z0-9_]+(?=`)/g) ?? []);

test('is written down for operators, each variable', () => {
  expect(names.filter((name) => !documented.includes(name))).toEqual([]);
});

test('is not written down with variables that there are not', () => {
  const named = page.match(/(?<=[`$ ])GATEWAY_[A-Z0-9_]+\b/g) ?? [];
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});

test('is written down with the defaults that it has', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `GATEWAY_'));
  const defaults: Record<string, unknown> = gatewayVariables.parse({
    DATABASE_URL: 'postgres://a/b',
    APPVIEW_DID: 'did:web:a',
    APPVIEW_KEY_FILE: 'a',
    GATEWAY_PUBLIC_URL: 'https://a',
  });
  const wrong = names.filter((name) => {
    const value = defaults[name];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    if (!name.startsWith('GATEWAY_') || name === 'GATEWAY_PUBLIC_URL' || !isPlain) return false;
    const row = rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``));
    return !row?.split('|').at(-2)?.includes(String(value));
  });
  expect(wrong).toEqual([]);
});
