import type { DatetimeString, UriString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import type { Enrollment } from '../../../../storage/service-storage.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.listEnrollments;

export function listEnrollments(server: Server, ctx: NodeContext): void {
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async ({ params }) => {
    const { limit, cursor, did } = params;
    const found = did
      ? await onlyOf(ctx, did)
      : await ctx.service.enrollments.after(cursor ?? '', limit + 1);
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return {
      encoding: 'application/json' as const,
      body: { enrollments: page.map(listed), ...(last && { cursor: last.did }) },
    };
  });
}

async function onlyOf(ctx: NodeContext, did: string): Promise<Enrollment[]> {
  const person = isDid(did) ? await ctx.service.enrollments.get(did) : undefined;
  return person ? [person] : [];
}

function listed({ enrolledAt, pdsEndpoint, ...enrollment }: Enrollment) {
  return {
    ...enrollment,
    enrolledAt: enrolledAt as DatetimeString,
    ...(pdsEndpoint !== undefined && { pdsEndpoint: pdsEndpoint as UriString }),
  };
}
