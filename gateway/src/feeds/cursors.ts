import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { type Did, isAtUri, isDid } from '@stratos/protocol';
import { ApiError } from '@stratos/schema';
import type { Position } from './skeleton.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;
/** Positions are padded to a multiple of this: nearly all cursors have one length. */
const BLOCK = 256;

/** What a cursor is good for. */
export interface CursorScope {
  viewer: Did;
  operation: string;
  /** Everything else that chooses what is in the feed. */
  arguments: Record<string, string | undefined>;
}

/**
 * Cursors that say nothing to whoever holds them and are good for one viewer and one feed: a
 * position, encrypted and authenticated together with what it is good for.
 */
export class Cursors {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  seal({ sortAt, uri, node }: Position, scope: CursorScope): string {
    const plain = Buffer.from(`${sortAt.getTime()} ${uri} ${node}`);
    const padded = Buffer.alloc(Math.ceil(plain.length / BLOCK) * BLOCK, ' ');
    plain.copy(padded);
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(digest(scope));
    const sealed = [nonce, cipher.update(padded), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64url');
  }

  /** Throws `INVALID_CURSOR` for whatever was not sealed for this very scope. */
  open(cursor: string, scope: CursorScope): Position {
    const [sortAt, uri, node] = this.#decrypt(cursor, scope).trimEnd().split(' ');
    if (!isAtUri(uri) || !isDid(node)) throw invalidCursor();
    return { sortAt: new Date(Number(sortAt)), uri, node };
  }

  #decrypt(cursor: string, scope: CursorScope): string {
    const sealed = Buffer.from(cursor, 'base64url');
    if (sealed.length < NONCE + TAG + BLOCK || sealed.toString('base64url') !== cursor) {
      throw invalidCursor();
    }
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, sealed.subarray(0, NONCE), {
        authTagLength: TAG,
      });
      decipher.setAAD(digest(scope)).setAuthTag(sealed.subarray(-TAG));
      const plain = decipher.update(sealed.subarray(NONCE, -TAG));
      return Buffer.concat([plain, decipher.final()]).toString();
    } catch (cause) {
      throw invalidCursor(cause);
    }
  }
}

function digest({ viewer, operation, arguments: args }: CursorScope): Buffer {
  const sorted = Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([viewer, operation, sorted]))
    .digest();
}

function invalidCursor(cause?: unknown): ApiError {
  const message = 'The cursor is not one of this viewer and this feed';
  return new ApiError('INVALID_CURSOR', message, { cause });
}
