import type { DatetimeString } from '@atproto/syntax';
import type { Server } from '@atproto/xrpc-server';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { freeBytes } from '../../../../telemetry/free-bytes.ts';
import { NODE_VERSION } from '../../../../version.ts';
import { addMethod, operatorOf } from '../../../add-method.ts';

const method = zone.stratos.admin.getStatus;

export function getStatus(server: Server, ctx: NodeContext): void {
  const startedAt = new Date().toISOString() as DatetimeString;
  addMethod(server, method.main, operatorOf(ctx, method.$lxm), async () => {
    const { config, service } = ctx;
    const { enrolled, left } = await service.enrollments.count();
    const { waiting, parked, oldest } = await service.outbox.summary();
    const dataBytesFree = await freeBytes(config.dataDir).catch(() => undefined);
    return {
      encoding: 'application/json' as const,
      body: {
        did: config.serviceDid,
        version: NODE_VERSION,
        startedAt,
        storage: config.storage.backend,
        enrolled,
        left,
        streamPosition: await service.events.head(),
        membershipPosition: (await service.memberships.head())?.seq ?? 0,
        outboxWaiting: waiting,
        outboxParked: parked,
        ...(oldest !== undefined && { outboxOldest: oldest as DatetimeString }),
        consumers: consumersOf(server),
        ...(dataBytesFree !== undefined && { dataBytesFree }),
      },
    };
  });
}

function consumersOf(server: Server): number {
  const sockets = [...server.subscriptions.values()].map(({ wss }) => wss.clients.size);
  return sockets.reduce((sum, open) => sum + open, 0);
}
