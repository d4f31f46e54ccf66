import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

test('for a browser the verifier has less than 15 kB, and nothing of Node', async () => {
  await using bundle = await rolldown({
    input: join(import.meta.dirname, 'proof/verify-post-proof.ts'),
    platform: 'browser',
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  const [{ code, imports }, ...rest] = output;
  expect([imports, rest]).toEqual([[], []]);
  expect(code).not.toMatch(/['"`]node:|\bBuffer\b|\bprocess\./);
  expect(gzipSync(code).length).toBeLessThan(15_000);
});
