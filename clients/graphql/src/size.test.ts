import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

test.each([
  ['connection', 'connection.ts', 3_500],
  ['all documents', 'generated/documents.ts', 6_000],
])(
  'for a browser the %s has little, and nothing of Node or of other packages of ours',
  async (_, file, most) => {
    await using bundle = await rolldown({
      input: join(import.meta.dirname, file),
      platform: 'browser',
      logLevel: 'silent',
    });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    const [{ code, imports, moduleIds }, ...rest] = output;
    expect([imports, rest]).toEqual([[], []]);
    expect(code).not.toMatch(/['"`]node:|\bBuffer\b|\bprocess\./);
    expect(moduleIds.filter((id) => !/clients\/graphql\/|eventsource-parser/.test(id))).toEqual([]);
    expect(gzipSync(code).length).toBeLessThan(most);
  },
);
