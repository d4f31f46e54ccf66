import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { readWholeRepo } from '../../../../access/whole-repo.ts';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.sync.getLatestCommit;

export function getLatestCommit(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const { cid, rev } = await readWholeRepo(ctx, viewer, params.did, (actor) => actor.root());
    return { encoding: 'application/json' as const, body: { cid, rev } };
  });
}
