import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { parseCid } from '@atproto/lex-data';
import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import { uploadBlob as upload } from '../../../../blobs/upload-blob.ts';
import type { NodeContext } from '../../../../context.ts';
import { Slots } from '../../../../limits/slots.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.uploadBlob;
/** What waits for a record is bounded by what has arrived, so what is on its way must be few. */
const LIMITS = { total: 256, perCaller: 4 };

export function uploadBlob(server: Server, ctx: NodeContext): void {
  const slots = new Slots(LIMITS);
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input, req, res }) => {
    // @NOTE or what is left of the body would be read to its end, only to be thrown away
    res.shouldKeepAlive = false;
    refuseIfTooLarge(req, ctx.config.blobs.maxBytes);
    using _slot = slots.take(auth.credentials.did);
    const blob = await upload(ctx, auth.credentials.did, chunksOf(input.body));
    res.shouldKeepAlive = true;
    const { cid, mimeType, size } = blob;
    const ref = parseCid(cid, { flavor: 'raw' });
    const body = { blob: { $type: 'blob' as const, ref, mimeType, size } };
    return { encoding: 'application/json' as const, body };
  });
}

function refuseIfTooLarge(req: IncomingMessage, maxBytes: number): void {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw new NodeError('PayloadTooLarge');
}

/** The body, which stays open when it is not read to its end, so that there can be an answer. */
async function* chunksOf(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* body.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new NodeError('InvalidRequest', 'The body could not be read', { cause });
  }
}
