import type { Server } from '@atproto/xrpc-server';
import { type AtUri, isAtUri } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { viewerOf } from '../../../../access/viewer.ts';
import { type VisibleRecord, visibleRecords } from '../../../../access/visible-records.ts';
import type { NodeContext } from '../../../../context.ts';
import { recordProof } from '../../../../repo/record-proof.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.repo.hydrateRecords;

export function hydrateRecords(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, callerOf(ctx, method.$lxm), async ({ auth, input }) => {
    const viewer = await viewerOf(ctx, auth.credentials.did);
    const { uris, proof } = input.body;
    const visible = await visibleRecords(ctx, viewer, uris.filter(isAtUri), { asAppView: true });
    const isProven = proof === true && viewer.isAppView;
    const proofs = isProven ? await proofsOf(ctx, visible) : undefined;
    const records = uris.flatMap((asked) => {
      const record = visible.get(asked as AtUri);
      if (!record) return [];
      const { uri, cid, value } = record;
      const shown = proofs?.get(uri);
      return [{ uri, cid, value, ...(shown && { proof: shown }) }];
    });
    const notFound = uris.filter((asked) => !visible.has(asked as AtUri));
    // What was decided before a record was written is in the log by the time that the record is read.
    const head = isProven ? await ctx.service.memberships.head() : undefined;
    const membershipSeq = isProven ? { membershipSeq: head?.seq ?? 0 } : {};
    const body = { records, notFound, blocked: [], ...membershipSeq };
    return { encoding: 'application/json' as const, body };
  });
}

async function proofsOf({ actors }: NodeContext, visible: ReadonlyMap<AtUri, VisibleRecord>) {
  const proofs = new Map<AtUri, Uint8Array>();
  for (const [uri, record] of visible) {
    const proof = await recordProof(actors, record);
    if (proof) proofs.set(uri, proof);
  }
  return proofs;
}
