import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const rooms = [
  'protocol',
  'stratos-node',
  'prisma',
  'indexer',
  'schema',
  'gateway',
  'clients',
  'test',
];

async function sources(): Promise<{ path: string; text: string }[]> {
  const found = [];
  for (const room of rooms) {
    for (const path of await readdir(join(root, room), { recursive: true })) {
      if (/\.m?[jt]sx?$/.test(path) && !/node_modules|generated/.test(path)) {
        found.push({
          path: join(room, path),
          text: await readFile(join(root, room, path), 'utf8'),
        });
      }
    }
  }
  return found;
}

test('one cast makes a Visible, in the access module', async () => {
  const cast = /\bas\s+(unknown\s+as\s+)?Visible\b|=\s*<Visible\b|\(<Visible\b|return\s+<Visible\b/;
  const casts = (await sources()).filter(
    ({ path, text }) => cast.test(text) && !path.endsWith('read-path.test.ts'),
  );
  expect(casts.map(({ path }) => path)).toEqual(['gateway/src/access/visible.ts']);
});

test('nobody but the access module can call what makes a Visible', async () => {
  const importers = (await sources()).filter(({ text }) => /from '[^']*\/visible\.ts'/.test(text));
  const ofGateway = importers.filter(({ path }) => path.startsWith('gateway/'));
  const outside = ofGateway.filter(({ path }) => !path.startsWith('gateway/src/access/'));
  expect(outside).toEqual([]);
});

test('only the read path asks the database for posts', async () => {
  // The operator's command tells of rows why they are shown to somebody, and nothing of their content.
  const allowed =
    /^gateway\/src\/((access|feeds|hydration|testing)\/|(reads|cli\/explain-visibility)\.ts$)/;
  const askers = (await sources()).filter(
    ({ path, text }) =>
      path.startsWith('gateway/src/') &&
      !path.endsWith('.test.ts') &&
      /\$queryRaw|stratos_post|\.post\.find/.test(text),
  );
  expect(askers.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
});
