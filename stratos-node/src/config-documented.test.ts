import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { nodeVariables } from './config-variables.ts';

const PAGE = new URL('../../docs/operator.md', import.meta.url);

it('is written down for operators, each variable', async () => {
  const page = await readFile(PAGE, 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  const documented = new Set(
    rows.flatMap((row) => row.split('|')[1]?.match(/(?<=`)[A-Z0-9_]+(?=`)/g) ?? []),
  );
  const missing = Object.keys(nodeVariables.shape).filter((name) => !documented.has(name));
  expect(missing).toEqual([]);
});

it('is not written down with variables that there are not', async () => {
  const page = await readFile(PAGE, 'utf8');
  const known = Object.keys(nodeVariables.shape);
  const named = page.match(/\b(STRATOS|STORAGE)_[A-Z0-9_]+\b/g) ?? [];
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});
