import type { Server } from '@atproto/xrpc-server';
import { isAtUri } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { visibleRecord } from '../../../../access/visible-records.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { recordProof } from '../../../../repo/record-proof.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.sync.getRecord;

export function getRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const address = `at://${params.did}/${params.collection}/${params.rkey}`;
    const uri = isAtUri(address) ? address : undefined;
    const record = uri && (await visibleRecord(ctx, viewer, uri, { asAppView: true }));
    const body = record && (await recordProof(ctx.actors, record));
    if (!body) throw new NodeError('RecordNotFound');
    return { encoding: 'application/vnd.ipld.car' as const, body };
  });
}
