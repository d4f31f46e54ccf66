import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { app, com, zone } from '@stratos/protocol/lexicons';
import type { BlobDescription } from '../blobs/upload-check.ts';
import { postRecord, SWORDSMITH, type TestNode, type TestPerson } from './test-node.ts';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A blob as an app puts it into a record. */
export interface BlobJson {
  $type: 'blob';
  ref: { $link: string };
  mimeType: string;
  size: number;
}

/** A picture that no other call gives. */
export function picture(name: string, size = 0): Buffer<ArrayBuffer> {
  const rest = Buffer.alloc(Math.max(0, size - PIXEL.length - name.length), name);
  return Buffer.concat([PIXEL, Buffer.from(name), rest]);
}

/** Asks for bytes to be taken. */
export async function tryUpload(
  node: TestNode,
  person: TestPerson,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  const { $nsid } = com.atproto.repo.uploadBlob;
  return fetch(`${node.url}/xrpc/${$nsid}`, {
    method: 'POST',
    headers: {
      'content-type': 'image/png',
      authorization: await person.authorization($nsid),
      ...headers,
    },
    body,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  });
}

/** Uploads bytes and requires that it works. */
export async function upload(
  node: TestNode,
  person: TestPerson,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<BlobJson> {
  const response = await tryUpload(node, person, bytes);
  if (!response.ok) throw new Error(`uploadBlob: ${response.status} ${await response.text()}`);
  const { blob } = (await response.json()) as { blob: BlobJson };
  return blob;
}

/** A post that shows a picture. */
export function pictureRecord(blob: BlobJson, boundaries: readonly string[] = [SWORDSMITH]) {
  const embed = { $type: app.bsky.embed.images.$nsid, images: [{ image: blob, alt: '' }] };
  return { ...postRecord('look', boundaries), embed };
}

/** A record of an application of its own, with any blobs. */
export function fileRecord(...files: BlobJson[]) {
  const { boundary } = postRecord('');
  return { $type: FILE, boundary, files };
}
export const FILE = `${zone.stratos.feed.post.$nsid.split('.').slice(0, 2).join('.')}.test.file`;

export function descriptionOf({ ref, mimeType, size }: BlobJson): BlobDescription {
  return { cid: ref.$link as BlobDescription['cid'], mimeType, size };
}

/** Asks for a blob. */
export async function getBlob(
  node: TestNode,
  person: TestPerson | undefined,
  owner: TestPerson,
  cid: string,
  { method = 'GET', ...headers }: Record<string, string> = {},
): Promise<Response> {
  const { $nsid } = com.atproto.sync.getBlob;
  return fetch(`${node.url}/xrpc/${$nsid}?${new URLSearchParams({ did: owner.did, cid })}`, {
    method,
    headers: { ...headers, ...(person && { authorization: await person.authorization($nsid) }) },
  });
}

/** Paths of the files of blobs, below their folder. */
export async function blobFiles(dataDir: string): Promise<string[]> {
  const root = join(dataDir, 'blobs');
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
