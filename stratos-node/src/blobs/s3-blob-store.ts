import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type Cid, type Did, isDid } from '@stratos/protocol';
import type { S3Storage } from '../config.ts';
import type { BlobStore, ByteRange, TemporaryBlob } from './blob-store.ts';

const PERMANENT = 'blocks';
const TEMPORARY = 'tmp';
const QUARANTINE = 'quarantine';
/** What stores other than Amazon's take as well, which have no regions. */
const ANY_REGION = 'us-east-1';
const CONNECT_MS = 5_000;
/** Readers that are slow must not keep others waiting. */
const AGENT = { keepAlive: true, maxSockets: 500 };
/** Bytes of an upload that are held in memory, the least that S3 allows. */
const PART_BYTES = 5 * 1024 * 1024;

/**
 * Blobs as objects of an S3-compatible store: `blocks/{did}/{cid}`, `tmp/{did}/{key}` and
 * `quarantine/{did}/{cid}`.
 */
export class S3BlobStore implements BlobStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ bucket, region, endpoint, credentials, forcePathStyle }: S3Storage) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      forcePathStyle,
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint, region: region ?? ANY_REGION }),
      ...(credentials && { credentials }),
      requestHandler: { connectionTimeout: CONNECT_MS, httpAgent: AGENT, httpsAgent: AGENT },
      // @NOTE not every compatible store knows the newer checksums
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async putTemporary(did: Did, key: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const body = Readable.from(bytes);
    const upload = new Upload({
      client: this.#client,
      params: { ...this.#at(TEMPORARY, did, key), Body: body },
      partSize: PART_BYTES,
      queueSize: 1,
    });
    // @NOTE why the bytes ended says more than what came of giving up
    await upload.done().catch((error) => {
      throw body.errored ?? error;
    });
  }

  async removeTemporary(did: Did, key: string): Promise<void> {
    await this.#delete(TEMPORARY, did, key);
  }

  async *temporary(): AsyncIterable<TemporaryBlob> {
    for await (const { path, writtenAt } of this.#list(`${TEMPORARY}/`)) {
      const [, did, key] = path.split('/');
      if (isDid(did) && key !== undefined) yield { did, key, writtenAt };
    }
  }

  async keep(did: Did, cid: Cid, key: string | undefined): Promise<boolean> {
    if (await this.has(did, cid)) return true;
    if (key === undefined) return false;
    return this.#copy(this.#at(TEMPORARY, did, key).Key, this.#at(PERMANENT, did, cid).Key);
  }

  async open(did: Did, cid: Cid, range?: ByteRange): Promise<Readable | undefined> {
    const command = new GetObjectCommand({
      ...this.#at(PERMANENT, did, cid),
      ...(range && { Range: `bytes=${range.first}-${range.last}` }),
    });
    const answer = await absentIfMissing(this.#client.send(command));
    return answer?.Body as Readable | undefined;
  }

  async has(did: Did, cid: Cid): Promise<boolean> {
    const command = new HeadObjectCommand(this.#at(PERMANENT, did, cid));
    return (await absentIfMissing(this.#client.send(command))) !== undefined;
  }

  async quarantine(did: Did, cid: Cid): Promise<void> {
    await this.#move(this.#at(PERMANENT, did, cid).Key, this.#at(QUARANTINE, did, cid).Key);
  }

  async release(did: Did, cid: Cid): Promise<void> {
    await this.#move(this.#at(QUARANTINE, did, cid).Key, this.#at(PERMANENT, did, cid).Key);
  }

  async remove(did: Did, cid: Cid): Promise<void> {
    await this.#delete(PERMANENT, did, cid);
    await this.#delete(QUARANTINE, did, cid);
  }

  async removeAll(did: Did): Promise<void> {
    for (const place of [PERMANENT, TEMPORARY, QUARANTINE]) {
      for await (const { path } of this.#list(`${place}/${did}/`)) {
        await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: path }));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
  }

  #at(place: string, did: Did, name: string) {
    return { Bucket: this.#bucket, Key: `${place}/${did}/${name}` };
  }

  async #delete(place: string, did: Did, name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(place, did, name)));
  }

  async #move(from: string, to: string): Promise<void> {
    if (!(await this.#copy(from, to))) return;
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: from }));
  }

  /** Returns false if there is nothing to copy. */
  async #copy(from: string, to: string): Promise<boolean> {
    const command = new CopyObjectCommand({
      Bucket: this.#bucket,
      Key: to,
      // @NOTE the colons of a DID as they are: not every compatible store decodes them
      CopySource: encodeURI(`${this.#bucket}/${from}`),
    });
    return (await absentIfMissing(this.#client.send(command))) !== undefined;
  }

  async *#list(prefix: string): AsyncIterable<{ path: string; writtenAt: Date }> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: prefix },
    );
    for await (const { Contents = [] } of pages) {
      for (const { Key, LastModified } of Contents) {
        if (Key !== undefined) yield { path: Key, writtenAt: LastModified ?? new Date() };
      }
    }
  }
}

async function absentIfMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) {
      return undefined;
    }
    throw error;
  }
}
