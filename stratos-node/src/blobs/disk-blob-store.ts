import type { Dirent } from 'node:fs';
import { access, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Cid, type Did, isDid } from '@stratos/protocol';
import type { BlobStore, ByteRange, TemporaryBlob } from './blob-store.ts';

const TEMPORARY = 'temp';
const QUARANTINE = 'quarantine';

/**
 * Blobs as files that only the service's own user can read: `{root}/{did}/{cid}`,
 * `{root}/temp/{did}/{key}` and `{root}/quarantine/{did}/{cid}`, all on one file system that knows
 * hard links.
 */
export class DiskBlobStore implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async putTemporary(did: Did, key: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#temporary(did, key);
    await makeFolder(dirname(path));
    try {
      await using file = await open(path, 'wx', 0o600);
      await file.writeFile(bytes);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  }

  async removeTemporary(did: Did, key: string): Promise<void> {
    await rm(this.#temporary(did, key), { force: true });
  }

  async *temporary(): AsyncIterable<TemporaryBlob> {
    for (const { name: did } of await entriesOf(join(this.#root, TEMPORARY))) {
      if (!isDid(did)) continue;
      for (const { name: key } of await entriesOf(join(this.#root, TEMPORARY, did))) {
        const file = await absentIfMissing(stat(this.#temporary(did, key)));
        if (file) yield { did, key, writtenAt: file.mtime };
      }
    }
  }

  async keep(did: Did, cid: Cid, key: string | undefined): Promise<boolean> {
    const path = this.#permanent(did, cid);
    if (key !== undefined) {
      await makeFolder(dirname(path));
      await link(this.#temporary(did, key), path).catch(unless('EEXIST', 'ENOENT'));
      await syncFolder(dirname(path));
    }
    return this.has(did, cid);
  }

  async open(did: Did, cid: Cid, range?: ByteRange): Promise<Readable | undefined> {
    const file = await absentIfMissing(open(this.#permanent(did, cid)));
    return file?.createReadStream(range && { start: range.first, end: range.last });
  }

  async has(did: Did, cid: Cid): Promise<boolean> {
    const found = access(this.#permanent(did, cid)).then(() => true);
    return (await absentIfMissing(found)) ?? false;
  }

  async quarantine(did: Did, cid: Cid): Promise<void> {
    await move(this.#permanent(did, cid), this.#quarantined(did, cid));
  }

  async release(did: Did, cid: Cid): Promise<void> {
    await move(this.#quarantined(did, cid), this.#permanent(did, cid));
  }

  async remove(did: Did, cid: Cid): Promise<void> {
    await rm(this.#permanent(did, cid), { force: true });
    await rm(this.#quarantined(did, cid), { force: true });
  }

  async removeAll(did: Did): Promise<void> {
    for (const place of ['', TEMPORARY, QUARANTINE]) {
      await rm(join(this.#root, place, did), { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #temporary(did: Did, key: string): string {
    return join(this.#root, TEMPORARY, did, key);
  }

  #permanent(did: Did, cid: Cid): string {
    return join(this.#root, did, cid);
  }

  #quarantined(did: Did, cid: Cid): string {
    return join(this.#root, QUARANTINE, did, cid);
  }
}

async function move(from: string, to: string): Promise<void> {
  await makeFolder(dirname(to));
  await rename(from, to).catch(unless('ENOENT'));
  await syncFolder(dirname(to));
}

async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncFolder(dirname(first));
}

/** Makes what was added to a folder survive a loss of power. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}

async function entriesOf(path: string): Promise<Dirent[]> {
  return (await absentIfMissing(readdir(path, { withFileTypes: true }))) ?? [];
}

function absentIfMissing<T>(result: Promise<T>): Promise<T | undefined> {
  return result.catch(unless('ENOENT'));
}

function unless(...codes: string[]) {
  return (error: NodeJS.ErrnoException): undefined => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
