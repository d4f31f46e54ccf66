import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import type { S3Storage } from '../config.ts';

const BUCKET = 'blobs';

/** An S3-compatible server on a free port, with one empty bucket. */
export class S3Server implements AsyncDisposable {
  readonly #server: S3rver;
  readonly #dir: string;
  readonly endpoint: string;

  private constructor(server: S3rver, dir: string, endpoint: string) {
    this.#server = server;
    this.#dir = dir;
    this.endpoint = endpoint;
  }

  static async start(): Promise<S3Server> {
    const dir = await mkdtemp(join(tmpdir(), 'stratos-s3-'));
    const server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      silent: true,
      // @NOTE it reckons the signature of a listing differently than S3 does
      allowMismatchedSignatures: true,
      directory: dir,
      configureBuckets: [{ name: BUCKET, configs: [] }],
    });
    const { port } = (await server.run()) as AddressInfo;
    return new S3Server(server, dir, `http://127.0.0.1:${port}`);
  }

  get storage(): S3Storage {
    return {
      storage: 's3',
      bucket: BUCKET,
      region: undefined,
      endpoint: this.endpoint,
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
      forcePathStyle: true,
    };
  }

  /** The environment of a node that keeps its blobs here. */
  get env(): Record<string, string> {
    return {
      STRATOS_BLOB_STORAGE: 's3',
      STRATOS_S3_BUCKET: BUCKET,
      STRATOS_S3_ENDPOINT: this.endpoint,
      STRATOS_S3_ACCESS_KEY: 'S3RVER',
      STRATOS_S3_SECRET_KEY: 'S3RVER',
      STRATOS_S3_FORCE_PATH_STYLE: 'true',
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    await rm(this.#dir, { recursive: true });
  }
}
