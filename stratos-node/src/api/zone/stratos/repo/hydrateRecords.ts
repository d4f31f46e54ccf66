import type { Server } from '@atproto/xrpc-server';
import { type AtUri, isAtUri } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { visibleRecords } from '../../../../access/visible-records.ts';
import type { NodeContext } from '../../../../context.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.repo.hydrateRecords;

export function hydrateRecords(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const { uris } = input.body;
    const visible = await visibleRecords(ctx, viewer, uris.filter(isAtUri), { asAppView: true });
    const records = uris.flatMap((asked) => {
      const record = visible.get(asked as AtUri);
      return record ? [{ uri: record.uri, cid: record.cid, value: record.value }] : [];
    });
    const notFound = uris.filter((asked) => !visible.has(asked as AtUri));
    return { encoding: 'application/json' as const, body: { records, notFound, blocked: [] } };
  });
}
