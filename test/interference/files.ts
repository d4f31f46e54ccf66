import { createHash } from 'node:crypto';
import { type Cid, toCid } from '@stratos/protocol';
import { textOf } from '@stratos/protocol/tree';
import type { Post } from './world.ts';

const RAW = 0x55;
const SHA_256 = [0x12, 32];

/** A file that goes with a post. */
export interface File {
  cid: Cid;
  bytes: Buffer;
  mimeType: string;
}

/** The file of a post, which no other post has; undefined when it has none. */
export function fileOf({ file: mimeType, text }: Pick<Post, 'file' | 'text'>): File | undefined {
  if (!mimeType) return undefined;
  const bytes = Buffer.from(`all about ${text}`);
  const digest = createHash('sha256').update(bytes).digest();
  const cid = toCid(textOf(new Uint8Array([1, RAW, ...SHA_256, ...digest])));
  return { cid, bytes, mimeType };
}
