import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataFolder, temporaryDataPath } from './data-folder.ts';

it('keeps its secrets, adds what an older folder lacks, and shows them to its owner alone', async () => {
  const path = await temporaryDataPath();
  const folder = await openDataFolder(path);
  const file = join(path, 'secrets.json');
  expect((await openDataFolder(path)).secrets).toEqual(folder.secrets);

  const { gatewayDatabasePassword, ...older } = folder.secrets;
  await writeFile(file, JSON.stringify(older));
  const { secrets } = await openDataFolder(path);
  expect(secrets).toEqual({ ...older, gatewayDatabasePassword: expect.stringMatching(/^\w{32}$/) });
  expect(secrets.gatewayDatabasePassword).not.toBe(gatewayDatabasePassword);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(secrets);
  expect((await stat(file)).mode & 0o077).toBe(0);
  await folder.remove();
});
