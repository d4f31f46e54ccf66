import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { enrollmentRkey, isDid, signAttestation } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import type { Enrollment } from '../../../../storage/service-storage.ts';
import { addMethod, anyCallerOf } from '../../../add-method.ts';

const method = zone.stratos.enrollment.status;

export function status(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, anyCallerOf(ctx, method.$lxm), async ({ auth, params }) => {
    const { did } = params;
    const known = isDid(did) ? await ctx.service.enrollments.get(did) : undefined;
    if (!known?.active) {
      return {
        encoding: 'application/json' as const,
        body: { did, enrolled: false, active: false },
      };
    }
    const caller = auth.credentials.did;
    const isPrivy =
      caller !== undefined && (caller === known.did || ctx.config.allowedAppViews.includes(caller));
    const body = {
      did,
      enrolled: true,
      active: true,
      enrolledAt: known.enrolledAt as DatetimeString,
      ...(isPrivy && (await details(ctx, known))),
    };
    return { encoding: 'application/json' as const, body };
  });
}

/** What the person and named AppViews are told. */
async function details(ctx: NodeContext, { did, boundaries, signingKey }: Enrollment) {
  return {
    boundaries: boundaries.map((value) => ({ value })),
    signingKey,
    enrollmentRkey: enrollmentRkey(ctx.config.serviceDid),
    attestation: await signAttestation({ did, boundaries, signingKey }, ctx.nodeKey),
  };
}
