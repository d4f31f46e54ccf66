import { TID } from '@atproto/common-web';
import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { requireOwnRepo } from '../../../../records/own-repo.ts';
import { putOne } from '../../../../records/put-one.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.createRecord;

export function createRecord(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { did } = auth.credentials;
    const { repo, collection, rkey = TID.nextStr(), record, ...options } = input.body;
    await requireOwnRepo(ctx, did, repo);
    const write = { action: 'create', collection, rkey, record } as const;
    const body = await putOne(ctx, did, write, options);
    return { encoding: 'application/json' as const, body };
  });
}
