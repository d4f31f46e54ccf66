import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { deleteRecord as remove } from '../../../../records/delete-record.ts';
import { requireOwnRepo } from '../../../../records/own-repo.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.deleteRecord;

export function deleteRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = auth.credentials;
    await requireOwnRepo(ctx, did, input.body.repo);
    const commit = await remove(ctx, did, input.body);
    return { encoding: 'application/json' as const, body: commit ? { commit } : {} };
  });
}
