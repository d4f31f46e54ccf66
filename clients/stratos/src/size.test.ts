import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

const ENTRY = 'entry.ts';

/** In bytes, gzipped, what a page loads that imports some names; it has all that it needs, and nothing of Node. */
async function sizeOf(names: string): Promise<number> {
  const code = `export ${names} from './index.ts';`;
  await using bundle = await rolldown({
    input: ENTRY,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? join(import.meta.dirname, ENTRY) : null),
        load: (id) => (id.endsWith(`/${ENTRY}`) ? code : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  const [{ code: bundled, imports }, ...rest] = output;
  expect([imports, rest]).toEqual([[], []]);
  expect(bundled).not.toMatch(/['"`]node:|\bBuffer\b|\bprocess\./);
  return gzipSync(bundled).length;
}

test.each([
  ['{ verifyPostProof }', 8_000],
  ['{ openNodeSession }', 3_000],
  ['{ writePost }', 4_000],
  ['*', 16_000],
])('for a browser %s has less than %i bytes', async (names, limit) => {
  expect(await sizeOf(names)).toBeLessThan(limit);
});
