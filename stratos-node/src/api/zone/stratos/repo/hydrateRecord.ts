import type { Server } from '@atproto/xrpc-server';
import { isAtUri } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { visibleRecord } from '../../../../access/visible-records.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.repo.hydrateRecord;

export function hydrateRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const asked = params.uri;
    const record = isAtUri(asked)
      ? await visibleRecord(ctx, viewer, asked, { asAppView: true })
      : undefined;
    if (!record || (params.cid !== undefined && params.cid !== record.cid)) {
      throw new NodeError('RecordNotFound');
    }
    const { uri, cid, value } = record;
    return { encoding: 'application/json' as const, body: { uri, cid, value } };
  });
}
