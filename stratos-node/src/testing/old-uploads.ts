import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { TEMPORARY_MS } from '../blobs/remove-unreferenced.ts';
import { blobFiles } from './test-blobs.ts';
import type { TestNode } from './test-node.ts';

/** Makes all uploads older than they may become without a record, and sweeps. */
export async function sweepLater(node: TestNode): Promise<void> {
  const { dataDir } = node.ctx.config;
  const then = new Date(Date.now() - TEMPORARY_MS - 1_000);
  for (const file of await blobFiles(dataDir)) {
    await utimes(join(dataDir, 'blobs', file), then, then);
  }
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + TEMPORARY_MS + 1_000);
  await node.ctx.blobSweep.run();
  now.mockRestore();
}
