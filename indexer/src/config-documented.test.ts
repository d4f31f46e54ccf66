import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { indexerVariables } from './config.ts';

const PAGE = new URL('../../docs/operator.md', import.meta.url);
const page = await readFile(PAGE, 'utf8');

/** The names in the first column of tables. */
const documented = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .flatMap((row) => row.split('|')[1]?.match(/(?<=`)[A-Z0-9_]+(?=`)/g) ?? []);

test('is written down for operators, each variable', () => {
  const missing = Object.keys(indexerVariables.shape).filter((name) => !documented.includes(name));
  expect(missing).toEqual([]);
});

test('is not written down with variables that there are not', () => {
  const known = Object.keys(indexerVariables.shape);
  const named = page.match(/\bINDEXER_[A-Z0-9_]+\b/g) ?? [];
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

test('is written down with the defaults that it has', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `INDEXER_'));
  const names = Object.keys(indexerVariables.shape).filter((name) => name.startsWith('INDEXER_'));
  const given = { DATABASE_URL: 'postgres://a/b', APPVIEW_DID: 'did:web:a', APPVIEW_KEY_FILE: 'a' };
  const defaults: Record<string, unknown> = indexerVariables.parse({
    ...given,
    INDEXER_FIREHOSE_URL: 'https://a',
  });
  const wrong = names.filter((name) => {
    const value = defaults[name];
    if (name === 'INDEXER_FIREHOSE_URL' || value === undefined || Array.isArray(value))
      return false;
    const row = rows.find((line) => line.split('|')[1]?.includes(`\`${name}\``));
    return !row?.split('|').at(-2)?.includes(String(value));
  });
  expect(wrong).toEqual([]);
});
