import {
  type AtUri,
  type Cid,
  type Did,
  isAtUri,
  isCid,
  isDid,
  isRecordKey,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { ApiError, type BlobView, ERRORS, operationsOf, type PostView } from '@stratos/schema';
import { type Request, type Response, Router } from 'express';
import type { Logger } from '../logger.ts';
import { BLOB_METHOD } from '../methods.ts';
import type { RequestContexts } from '../request-context.ts';
import type { NodeBlobs } from './node-blobs.ts';

/** Images of pixels, in which nothing runs. Anything else is a file to be saved. */
const IMAGES = new Set(['image/avif', 'image/gif', 'image/jpeg', 'image/png', 'image/webp']);

export interface BlobRoutesOptions {
  contexts: RequestContexts;
  blobs: NodeBlobs;
  logger: Logger;
}

/** What a path of a blob says: `/{node}/{did}/{rkey}/{cid}`. */
interface BlobPath {
  uri: AtUri;
  node: Did;
  did: Did;
  cid: Cid;
}

/**
 * Serves the files of posts to who may read the post. They are asked for by the post, which is looked up like any
 * other: a file that no visible post names looks like one that does not exist. Nothing is kept, neither here nor by
 * the browser, because who may see it is decided anew each time.
 */
export function blobRoutes({ contexts, blobs, logger }: BlobRoutesOptions): Router {
  const router = Router();
  router.get('/:node/:did/:rkey/:cid', async (req, res) => {
    try {
      await sendBlob(req, res);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, xrpc } = ERRORS[error.code];
      if (status >= 500) logger.warn({ code: error.code }, 'file not served');
      res.status(status).json({ error: xrpc, message: error.message });
    }
  });
  return router;

  async function sendBlob(req: Request, res: Response): Promise<void> {
    const context = await contexts.of(req, res, BLOB_METHOD);
    const operations = operationsOf(context);
    await context.spend(1);
    const path = blobPath(req.params);
    const post = path && (await operations.postAt(path));
    const view = post && blobsOf(post).find(({ cid }) => cid === path.cid);
    const bytes = view && (await blobs.read(path));
    if (!bytes) {
      res.status(404).json({ error: 'BlobNotFound', message: 'There is no such file' });
      return;
    }
    const isImage = IMAGES.has(view.mimeType);
    res.setHeader('Content-Type', isImage ? view.mimeType : 'application/octet-stream');
    res.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
    if (!isImage) res.setHeader('Content-Disposition', 'attachment');
    res.end(bytes);
  }
}

function blobsOf({ images, external }: PostView): BlobView[] {
  return external?.thumb ? [...images, external.thumb] : images;
}

function blobPath(params: Record<string, unknown>): BlobPath | undefined {
  const { node, did, rkey, cid } = params;
  if (!isDid(node) || !isDid(did) || !isCid(cid)) return undefined;
  if (typeof rkey !== 'string' || !isRecordKey(rkey)) return undefined;
  const uri = `at://${did}/${zone.stratos.feed.post.$nsid}/${rkey}`;
  return isAtUri(uri) ? { uri, node, did, cid } : undefined;
}
