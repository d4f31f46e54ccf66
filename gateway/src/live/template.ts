import { randomBytes } from 'node:crypto';
import { EVENT_CURSOR_LENGTH } from './event-cursors.ts';

/** What stands for the cursor until it is filled in: nobody who writes a post can know it. */
export const CURSOR_PLACE = randomBytes(EVENT_CURSOR_LENGTH)
  .toString('base64url')
  .slice(0, EVENT_CURSOR_LENGTH);

/** Bytes that are the same for a whole audience, but for the cursor of each stream. */
export class Template {
  readonly #bytes: Buffer;
  readonly #places: number[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    for (let at = bytes.indexOf(CURSOR_PLACE); at >= 0; at = bytes.indexOf(CURSOR_PLACE, at + 1)) {
      this.#places.push(at);
    }
  }

  with(cursor: string): Buffer {
    if (this.#places.length === 0) return this.#bytes;
    const bytes = Buffer.from(this.#bytes);
    for (const place of this.#places) bytes.write(cursor, place, 'latin1');
    return bytes;
  }
}
