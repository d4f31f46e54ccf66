import { TID } from '@atproto/common-web';
import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { createRecord as create } from '../../../../records/create-record.ts';
import { requireOwnRepo } from '../../../../records/own-repo.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.createRecord;

export function createRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = auth.credentials;
    const { repo, collection, rkey = TID.nextStr(), record, validate, swapCommit } = input.body;
    await requireOwnRepo(ctx, did, repo);
    const created = await create(ctx, did, { collection, rkey, record, validate, swapCommit });
    return { encoding: 'application/json' as const, body: created };
  });
}
