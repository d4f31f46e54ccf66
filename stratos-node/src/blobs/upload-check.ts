import { createHash } from 'node:crypto';
import { cidForRawHash } from '@atproto/lex-data';
import { type Cid, toCid } from '@stratos/protocol';
import type { BlobConfig } from '../config.ts';
import { NodeError } from '../node-error.ts';
import { HEAD_BYTES, isMediaTypeIn, mediaTypeOf } from './media-type.ts';

/** What a blob turned out to be. */
export interface BlobDescription {
  cid: Cid;
  mimeType: string;
  /** In bytes. */
  size: number;
}

/** Looks at the bytes of an upload while they pass, keeping none but the first. */
export class UploadCheck {
  readonly #limits: Pick<BlobConfig, 'maxBytes' | 'types'>;
  readonly #hash = createHash('sha256');
  #size = 0;
  #mimeType: string | undefined;

  constructor(limits: Pick<BlobConfig, 'maxBytes' | 'types'>) {
    this.#limits = limits;
  }

  /** Hands the bytes on. Throws a {@link NodeError} as soon as they cannot become a blob. */
  async *passing(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const head: Uint8Array[] = [];
    for await (const chunk of bytes) {
      this.#size += chunk.length;
      if (this.#size > this.#limits.maxBytes) throw new NodeError('PayloadTooLarge');
      this.#hash.update(chunk);
      if (this.#mimeType === undefined) {
        head.push(chunk);
        if (this.#size >= HEAD_BYTES) this.#mimeType = await this.#typeOf(head);
      }
      yield chunk;
    }
    if (this.#size === 0) throw new NodeError('InvalidRequest', 'The blob is empty');
    this.#mimeType ??= await this.#typeOf(head);
  }

  /** What the blob is, once all of it has passed. */
  description(): BlobDescription {
    const cid = toCid(cidForRawHash(this.#hash.digest()).toString());
    if (this.#mimeType === undefined) throw new Error('the upload has not passed');
    return { cid, mimeType: this.#mimeType, size: this.#size };
  }

  async #typeOf(head: readonly Uint8Array[]): Promise<string> {
    const type = await mediaTypeOf(Buffer.concat(head).subarray(0, HEAD_BYTES));
    if (!isMediaTypeIn(this.#limits.types, type)) {
      throw new NodeError('InvalidMimeType', `Blobs of the type ${type} are not taken`);
    }
    return type;
  }
}
