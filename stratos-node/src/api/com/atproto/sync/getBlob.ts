import { l } from '@atproto/lex-schema';
import type { Server } from '@atproto/xrpc-server';
import { isCid, isDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { sendBlob } from '../../../../blobs/send-blob.ts';
import { visibleBlob } from '../../../../blobs/visible-blob.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.sync.getBlob;

// @NOTE the answer may be a part (206), which xrpc-server cannot say: it is sent by us
const sentByUs = l.query(method.$nsid, method.$params, l.payload(), ['BlobNotFound']);

export function getBlob(server: Server, ctx: NodeContext): void {
  addMethod(server, sentByUs, callerOf(ctx, method.$lxm), async ({ auth, params, req, res }) => {
    const { did, cid } = params;
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const blob = isDid(did) && isCid(cid) && (await visibleBlob(ctx, viewer, did, cid));
    if (!blob) throw new NodeError('BlobNotFound');
    await sendBlob(ctx, did, blob, { req, res });
  });
}
