import { createHash } from 'node:crypto';
import type { Did } from '@stratos/protocol';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The Postgres schema of an actor: `actor_` and the whole SHA-256 of the DID in base32, 58 characters. */
export function actorSchemaName(did: Did): string {
  return `actor_${base32(createHash('sha256').update(did).digest())}`;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let buffered = 0;
  for (const byte of bytes) {
    buffered = ((buffered << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(buffered >> (bits - 5)) & 31];
  }
  if (bits > 0) text += ALPHABET[(buffered << (5 - bits)) & 31];
  return text;
}
