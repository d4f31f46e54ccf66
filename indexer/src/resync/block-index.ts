/** Where the digest begins in the bytes of the CID of a block. */
const DIGEST_AT = 4;
const FIRST_SLOTS = 1024;

/** Where blocks are in a file, by CID, in at most 32 bytes of memory each. */
export class BlockIndex {
  /** Two numbers a slot: the begin of the digest, and the position plus one; zeros in an empty one. */
  #slots = new Uint32Array(2 * FIRST_SLOTS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param position - less than 2³² - 1 */
  add(cid: Uint8Array, position: number): void {
    // @NOTE half of the slots stay empty, so that the next empty one is never far
    if (4 * this.#count >= this.#slots.length) this.#grow();
    put(this.#slots, digestOf(cid), position + 1);
    this.#count += 1;
  }

  /** Where the block may be. What is there may as well be another, of which the digest begins alike. */
  *positions(cid: Uint8Array): Generator<number> {
    const digest = digestOf(cid);
    const slots = this.#slots;
    for (let at = slotOf(slots, digest); slots[at + 1]; at = (at + 2) % slots.length) {
      if (slots[at] === digest) yield (slots[at + 1] ?? 0) - 1;
    }
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [digest = 0, position = 0] = this.#slots.subarray(at, at + 2);
      if (position > 0) put(slots, digest, position);
    }
    this.#slots = slots;
  }
}

function put(slots: Uint32Array, digest: number, position: number): void {
  let at = slotOf(slots, digest);
  while (slots[at + 1]) at = (at + 2) % slots.length;
  slots[at] = digest;
  slots[at + 1] = position;
}

function slotOf(slots: Uint32Array, digest: number): number {
  return 2 * (digest % (slots.length / 2));
}

function digestOf(cid: Uint8Array): number {
  return new DataView(cid.buffer, cid.byteOffset).getUint32(DIGEST_AT);
}
