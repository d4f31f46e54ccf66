import type { Server } from '@atproto/xrpc-server';
import { isDid, isRecordKey } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { listedRecords } from '../../../../access/listed-records.ts';
import { viewerOf } from '../../../../access/viewer.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { addMethod, anyCallerOf } from '../../../add-method.ts';

const method = com.atproto.repo.listRecords;
const DEFAULT_LIMIT = 50;

export function listRecords(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, anyCallerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const { repo, collection, limit = DEFAULT_LIMIT, cursor: after, reverse = false } = params;
    if (after !== undefined && !isRecordKey(after)) {
      throw new NodeError('InvalidRequest', 'The cursor is not one of this method');
    }
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const page = { collection, limit, after, descending: !reverse };
    const list = isDid(repo) ? await listedRecords(ctx, viewer, repo, page) : undefined;
    const records = list?.records.map(({ uri, cid, value }) => ({ uri, cid, value })) ?? [];
    const body = { ...(list?.cursor !== undefined && { cursor: list.cursor }), records };
    return { encoding: 'application/json' as const, body };
  });
}
