import { hash } from 'node:crypto';

/** How high above the leaves a key is: the pairs of zero bits that its SHA-256 begins with. */
export function layerOf(key: string): number {
  let layer = 0;
  for (const byte of hash('sha256', key, 'buffer')) {
    const zeros = Math.clz32(byte) - 24;
    layer += zeros >> 1;
    if (byte !== 0) return layer;
  }
  return layer;
}
