import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Did } from '@stratos/protocol';
import type { NodeContext } from '../context.ts';
import { NodeError } from '../node-error.ts';
import type { StoredBlob } from '../storage/actor-blobs.ts';
import { byteRange } from './byte-range.ts';

/** Milliseconds without a byte being taken after which a reader is given up. */
const STALL_MS = 60_000;
/** What can be shown within a page without being a page of its own. */
const MEDIA = /^(image|video|audio)\//;

/**
 * Sends a blob, or the part of it that is asked for, as fast as it is taken.
 *
 * @throws {@link NodeError} `RangeNotSatisfiable`, or `BlobNotFound` if its bytes are not there
 */
export async function sendBlob(
  ctx: Pick<NodeContext, 'blobs'>,
  did: Did,
  blob: StoredBlob,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
): Promise<void> {
  // @NOTE there is no validator by which `If-Range` could hold
  const asked = req.headers['if-range'] === undefined ? req.headers.range : undefined;
  const range = byteRange(asked, blob.size);
  if (range === 'unsatisfiable') {
    res.setHeader('Content-Range', `bytes */${blob.size}`);
    throw new NodeError('RangeNotSatisfiable');
  }
  const { first, last } = range ?? { first: 0, last: blob.size - 1 };
  const headers = {
    ...headersOf(blob),
    'Content-Length': last - first + 1,
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${blob.size}` }),
  };
  const status = range ? 206 : 200;
  if (req.method === 'HEAD') {
    if (!(await ctx.blobs.has(did, blob.cid))) throw new NodeError('BlobNotFound');
    res.writeHead(status, headers).end();
    return;
  }
  const bytes = await ctx.blobs.open(did, blob.cid, range);
  if (!bytes) throw new NodeError('BlobNotFound');
  res.setTimeout(STALL_MS, () => res.destroy());
  res.writeHead(status, headers);
  await pipeline(bytes, res).catch((error: NodeJS.ErrnoException) => {
    // @NOTE a reader who goes away is no failure, and cannot be answered
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

function headersOf({ mimeType }: StoredBlob): OutgoingHttpHeaders {
  return {
    'Content-Type': mimeType,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Accept-Ranges': 'bytes',
    'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Length, Content-Range, Retry-After',
    ...(!MEDIA.test(mimeType) && { 'Content-Disposition': 'attachment' }),
  };
}
