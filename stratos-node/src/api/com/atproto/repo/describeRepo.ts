import type { LexMap } from '@atproto/lex-data';
import { type HandleString, INVALID_HANDLE, type NsidString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import type { Did } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { readWholeRepo } from '../../../../access/whole-repo.ts';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.describeRepo;

export function describeRepo(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const { did, collections } = await readWholeRepo(ctx, viewer, params.repo, async (actor) => ({
      did: actor.did,
      collections: (await actor.collections()) as NsidString[],
    }));
    const body = { did, collections, ...(await identityOf(ctx, did)) };
    return { encoding: 'application/json' as const, body };
  });
}

async function identityOf(ctx: Pick<NodeContext, 'identity'>, did: Did) {
  const document = await ctx.identity.didDocument(did).catch(() => undefined);
  const handle = await ctx.identity.verifiedHandle(did).catch(() => undefined);
  return {
    didDoc: (document ?? {}) as LexMap,
    handle: (handle ?? INVALID_HANDLE) as HandleString,
    handleIsCorrect: handle !== undefined,
  };
}
