import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseCid } from '@atproto/lex-data';
import type { Did } from '@stratos/protocol';
import type { Database } from 'better-sqlite3';

/** Whether the blobs that records refer to are there and are what their CIDs say; on disk alone. */
export async function* verifyBlobs(
  actor: Database,
  did: Did,
  dataDir: string,
): AsyncGenerator<string> {
  const root = join(dataDir, 'blobs');
  if (!existsSync(root)) return;
  const cids = actor
    .prepare<[], string>(
      `SELECT cid FROM stratos_blob WHERE tempKey IS NULL
        AND cid IN (SELECT blobCid FROM stratos_record_blob) ORDER BY cid`,
    )
    .pluck()
    .all();
  for (const cid of cids) {
    const places = [join(root, did, cid), join(root, 'quarantine', did, cid)];
    const path = places.find((place) => existsSync(place));
    if (path === undefined) yield `blob ${cid} is missing`;
    else if (!(await isHashOf(cid, path))) yield `blob ${cid} is not what its CID says`;
  }
}

async function isHashOf(cid: string, path: string): Promise<boolean> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest().equals(parseCid(cid).multihash.digest);
}
