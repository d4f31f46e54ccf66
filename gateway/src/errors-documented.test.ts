import { readFile } from 'node:fs/promises';
import { ERRORS } from '@stratos/schema';
import { expect, test } from 'vitest';

test('docs/frontend.md lists every error with its status and its name in XRPC', async () => {
  const text = await readFile(new URL('../../docs/frontend.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| `(\w+)` \|/gm)];
  const documented = rows.map(([, code, status, xrpc]) => [code, Number(status), xrpc]);
  const defined = Object.entries(ERRORS).map(([code, { status, xrpc }]) => [code, status, xrpc]);
  expect(documented.sort()).toEqual(defined.sort());
});
