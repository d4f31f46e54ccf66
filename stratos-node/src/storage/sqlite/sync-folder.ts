import { open } from 'node:fs/promises';
import { dirname, relative } from 'node:path';

/** Makes the names of what is in a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

/** The same for a folder, and for all above it up to `root`, which it must lie in. */
export async function syncFoldersUpTo(root: string, path: string): Promise<void> {
  await syncFolder(path);
  if (relative(root, path) !== '') await syncFoldersUpTo(root, dirname(path));
}
