import type { Server } from '@atproto/xrpc-server';
import { isTid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { readWholeRepo } from '../../../../access/whole-repo.ts';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.sync.listBlobs;
const DEFAULT_LIMIT = 500;

export function listBlobs(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const { did, limit = DEFAULT_LIMIT, cursor: after } = params;
    const since = isTid(params.since) ? params.since : undefined;
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const found = await readWholeRepo(ctx, viewer, did, (actor) =>
      actor.blobs.page({ limit: limit + 1, after, since }),
    );
    const cids = found.slice(0, limit);
    const cursor = found.length > limit ? cids.at(-1) : undefined;
    const body = { ...(cursor !== undefined && { cursor }), cids };
    return { encoding: 'application/json' as const, body };
  });
}
