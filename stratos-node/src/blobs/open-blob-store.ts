import { join } from 'node:path';
import type { NodeConfig } from '../config.ts';
import type { BlobStore } from './blob-store.ts';
import { DiskBlobStore } from './disk-blob-store.ts';

/** The store of blobs that the operator chose; on disk it is `{dataDir}/blobs`. */
export async function openBlobStore({
  dataDir,
  blobs: { place },
}: Pick<NodeConfig, 'dataDir' | 'blobs'>): Promise<BlobStore> {
  if (place.storage === 'local') return new DiskBlobStore(join(dataDir, 'blobs'));
  // @NOTE its SDK takes tens of megabytes, which those without it need not have
  const { S3BlobStore } = await import('./s3-blob-store.ts');
  return new S3BlobStore(place);
}
