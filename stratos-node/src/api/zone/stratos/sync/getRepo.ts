import type { Server } from '@atproto/xrpc-server';
import { isDid, isTid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { mayReadWhole } from '../../../../access/whole-repo.ts';
import type { NodeContext } from '../../../../context.ts';
import { Slots } from '../../../../limits/slots.ts';
import { NodeError } from '../../../../node-error.ts';
import { exportStream } from '../../../../transfer/export-stream.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.sync.getRepo;
/** Each holds a snapshot of a repo, and with Postgres a connection. */
const LIMITS = { total: 8, perCaller: 4 };

export function getRepo(server: Server, ctx: NodeContext): void {
  const slots = new Slots(LIMITS);
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const { did, since } = params;
    const viewer = await viewerOf(ctx, auth.credentials.did);
    if (!isDid(did) || !(await mayReadWhole(ctx, viewer, did))) throw new NodeError('RepoNotFound');
    const slot = slots.take(auth.credentials.did);
    const body = await exportStream(ctx, did, {
      since: isTid(since) ? since : undefined,
      slot,
      mayGoOn: () => mayReadWhole(ctx, viewer, did),
    });
    if (!body) throw new NodeError('RepoNotFound');
    return { encoding: 'application/vnd.ipld.car' as const, body };
  });
}
