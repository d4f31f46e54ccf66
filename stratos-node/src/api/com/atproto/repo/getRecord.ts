import type { Server } from '@atproto/xrpc-server';
import { isAtUri } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { visibleRecord } from '../../../../access/visible-records.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, anyCallerOf } from '../../../add-method.ts';

const method = com.atproto.repo.getRecord;

export function getRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, anyCallerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const address = `at://${params.repo}/${params.collection}/${params.rkey}`;
    const record = isAtUri(address) ? await visibleRecord(ctx, viewer, address) : undefined;
    if (!record || (params.cid !== undefined && params.cid !== record.cid)) {
      throw new NodeError('RecordNotFound');
    }
    const { uri, cid, value } = record;
    return { encoding: 'application/json' as const, body: { uri, cid, value } };
  });
}
