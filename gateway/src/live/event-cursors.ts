import { type Cipheriv, createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Boundary, Did } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';

const ALGORITHM = 'aes-256-ecb';
const BLOCK = 16;
/** Characters of a cursor. */
export const EVENT_CURSOR_LENGTH = 22;

/** What a cursor is good for. */
export interface Subscription {
  viewer: Did;
  boundary: Boundary | undefined;
}

/**
 * Cursors of one subscription: a position, which says nothing to whoever holds it.
 *
 * Each is one block, half of it zeros, under a key that only this subscription has: whatever was not
 * sealed for it opens to zeros once in 2^64 tries (Bellare and Rogaway, “Encode-then-encipher encryption”).
 * Unlike with nonces there is no limit to how many may be made of one key.
 */
export class EventCursors {
  readonly #key: Buffer;
  readonly #cipher: Cipheriv;

  constructor(key: Uint8Array, { viewer, boundary }: Subscription) {
    const purpose = JSON.stringify(['live posts', viewer, boundary ?? null]);
    this.#key = createHmac('sha256', key).update(purpose).digest();
    this.#cipher = createCipheriv(ALGORITHM, this.#key, null).setAutoPadding(false);
  }

  seal(position: bigint): string {
    const block = Buffer.alloc(BLOCK);
    block.writeBigUInt64BE(position);
    return this.#cipher.update(block).toString('base64url');
  }

  /** Throws `INVALID_CURSOR` for whatever was not sealed for this very subscription. */
  open(cursor: string): bigint {
    const sealed = Buffer.from(cursor, 'base64url');
    if (sealed.length !== BLOCK || sealed.toString('base64url') !== cursor) throw invalidCursor();
    const decipher = createDecipheriv(ALGORITHM, this.#key, null).setAutoPadding(false);
    const block = decipher.update(sealed);
    if (block.readBigUInt64BE(BLOCK / 2) !== 0n) throw invalidCursor();
    return block.readBigUInt64BE();
  }
}

function invalidCursor(): ApiError {
  return new ApiError(
    'INVALID_CURSOR',
    'The cursor is not one of this viewer and this subscription',
  );
}
