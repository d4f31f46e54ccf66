import type { Server } from '@atproto/xrpc-server';
import { isAtUri, isCid, isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { takeDownBlob } from '../../../../blobs/take-down-blob.ts';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { takeDownAccount } from '../../../../takedown/take-down-account.ts';
import { takeDownRecord } from '../../../../takedown/take-down-record.ts';
import type { Takedown } from '../../../../takedown/takedown.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.takedown;

export function takedown(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ auth, input }) => {
    const { applied = true, ref = '', ...subject } = input.body;
    if (!(await takeDown(ctx, subject, { applied, ref }))) {
      throw new NodeError('NotFound', 'There is no such subject');
    }
    const action = method.$nsid;
    const { uri, cid, did = uri?.split('/')[2] } = subject;
    const what = applied ? 'taken down' : 'put back';
    await ctx.service.audit.append({
      address: auth.credentials.address,
      action,
      ...(did !== undefined && { did }),
      detail: [uri ?? cid ?? 'account', what, ref].filter((part) => part !== '').join(' '),
      outcome: 'done',
    });
    ctx.logger.info({ action, did, applied }, 'the operator decided on a takedown');
    return { encoding: 'application/json' as const, body: { applied } };
  });
}

type Subject = Omit<zone.stratos.admin.takedown.$InputBody, 'applied' | 'ref'>;

/** One of a record, a blob, and an account. */
async function takeDown(
  ctx: NodeContext,
  { uri, did, cid }: Subject,
  takedown: Takedown,
): Promise<boolean> {
  if ((uri === undefined) === (did === undefined) || (uri !== undefined && cid !== undefined)) {
    throw new NodeError('InvalidRequest', 'Either uri, or did, or did and cid');
  }
  if (uri !== undefined) return isAtUri(uri) && takeDownRecord(ctx, uri, takedown);
  if (!isDid(did)) return false;
  if (cid === undefined) return takeDownAccount(ctx, did, takedown);
  return isCid(cid) && takeDownBlob(ctx, did, cid, takedown);
}
