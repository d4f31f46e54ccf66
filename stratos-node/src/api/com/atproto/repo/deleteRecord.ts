import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { requireOwnRepo } from '../../../../records/own-repo.ts';
import { writeRecords } from '../../../../records/write-records.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.deleteRecord;

export function deleteRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = auth.credentials;
    const { repo, collection, rkey, swapRecord, ...options } = input.body;
    await requireOwnRepo(ctx, did, repo);
    const write = { action: 'delete', collection, rkey, swapRecord } as const;
    const { commit } = await writeRecords(ctx, did, [write], options);
    return { encoding: 'application/json' as const, body: commit ? { commit } : {} };
  });
}
