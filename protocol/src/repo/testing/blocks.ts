import { type Cid as CidLink, decodeCid } from '@atproto/lex-data';
import type { BlockMap } from '@atproto/repo';
import { cidBytesOf } from '../../tree/cid-bytes.ts';
import type { BlockSource } from '../block-source.ts';

export function blockCid(bytes: Uint8Array): CidLink {
  return decodeCid(cidBytesOf(bytes));
}

export function sourceOf(blocks: BlockMap): BlockSource {
  return { get: (cid) => blocks.get(decodeCid(cid)) };
}
