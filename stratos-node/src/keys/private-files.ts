import { chmod, stat } from 'node:fs/promises';
import type { Logger } from '../logger.ts';

/** Takes files that have secrets, and folders of them, away from all users but our own. */
export async function makePrivate(paths: readonly string[], logger: Logger): Promise<void> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (!found || (found.mode & 0o077) === 0) continue;
    logger.warn({ path }, 'others could read this; from now on they cannot');
    await chmod(path, found.mode & 0o700);
  }
}
